// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// constant writes a read-only float64 and returns the operand that reads it.
func (w *writer) constant(name string, x float64) string {
	w.line("")
	w.line("DATA %s<>+0(SB)/8, $0x%016x // %v", name, math.Float64bits(x), x)
	w.line("GLOBL %s<>(SB), RODATA|NOPTR, $8", name)
	return name + "<>(SB)"
}

// constant32 is constant for a float32.
func (w *writer) constant32(name string, x float64) string {
	w.line("")
	w.line("DATA %s<>+0(SB)/4, $0x%08x // %v", name, math.Float32bits(float32(x)), float32(x))
	w.line("GLOBL %s<>(SB), RODATA|NOPTR, $4", name)
	return name + "<>(SB)"
}

// logistic writes the exact sigmoid and log(1 + e^−|z|): the operations of
// logisticGo, in its order, lane by lane.
func logistic(w *writer, s set) {
	reg := func(i int) string { return sprintf("%s%d", s.reg, i) }
	table := map[string]string{}
	name := func(n string) string { return n + s.suffix }
	type entry struct {
		name string
		x    float64
	}
	entries := []entry{
		{"expLimit", 700}, {"log2e", math.Log2E}, {"magic", 0x1.8p52}, {"one", 1}, {"two", 2},
		{"ln2High", -ln2High}, {"ln2Low", -ln2Low}, {"signBit", math.Copysign(0, -1)},
	}
	for k, c := range expTerms() {
		entries = append(entries, entry{sprintf("exp%d", k), c})
	}
	for k, c := range logTerms() {
		entries = append(entries, entry{sprintf("log%d", k), c})
	}
	for _, e := range entries {
		table[e.name] = w.constant(name(e.name), e.x)
	}
	w.function("logistic"+s.suffix, "n int, p, l, z *float64", 32)
	w.op("MOVQ n+0(FP), CX")
	w.op("MOVQ p+8(FP), DI")
	w.op("MOVQ l+16(FP), SI")
	w.op("MOVQ z+24(FP), R8")
	load := func(c string, to int) { w.op("VBROADCASTSD %s, %s", table[c], reg(to)) }
	const z, a, k, t, e, v, c, u = 0, 1, 2, 3, 4, 5, 6, 7
	const sign, one, two, magic, zero = 8, 9, 10, 11, 12
	load("signBit", sign)
	load("one", one)
	load("two", two)
	load("magic", magic)
	w.op("VXORPD %s, %s, %s", reg(zero), reg(zero), reg(zero))
	w.line("loop:")
	w.op("VMOVUPD (R8), %s", reg(z))
	w.op("VANDNPD %s, %s, %s", reg(z), reg(sign), reg(a)) // |z|
	load("expLimit", c)
	w.op("VMINPD %s, %s, %s", reg(a), reg(c), reg(a)) // keeps NaN
	load("log2e", c)
	w.op("VMULPD %s, %s, %s", reg(c), reg(a), reg(k))
	w.op("VADDPD %s, %s, %s", reg(magic), reg(k), reg(k)) // its low bits are the integer
	w.op("VSUBPD %s, %s, %s", reg(magic), reg(k), reg(v))
	load("ln2High", c)
	w.op("VMULPD %s, %s, %s", reg(c), reg(v), reg(t))
	w.op("VADDPD %s, %s, %s", reg(t), reg(a), reg(t)) // a − k·high
	load("ln2Low", c)
	w.op("VMULPD %s, %s, %s", reg(c), reg(v), reg(u))
	w.op("VADDPD %s, %s, %s", reg(u), reg(t), reg(t))
	w.op("VXORPD %s, %s, %s", reg(sign), reg(t), reg(t)) // −r
	terms := expTerms()
	load(sprintf("exp%d", len(terms)-1), e)
	for i := len(terms) - 2; i >= 0; i-- {
		load(sprintf("exp%d", i), c)
		w.op("VMULPD %s, %s, %s", reg(t), reg(e), reg(e))
		w.op("VADDPD %s, %s, %s", reg(c), reg(e), reg(e))
	}
	w.op("VPSLLQ $52, %s, %s", reg(k), reg(k)) // 2^−k: the exponent of 1 less k
	w.op("VPSUBQ %s, %s, %s", reg(k), reg(one), reg(k))
	w.op("VMULPD %s, %s, %s", reg(k), reg(e), reg(e)) // e^−|z|
	// p = (z < 0 ? e : 1) / (1 + e)
	w.op("VADDPD %s, %s, %s", reg(one), reg(e), reg(u))
	if s == avx512 {
		w.op("VCMPPD $17, %s, %s, K1", reg(zero), reg(z)) // z < 0
		w.op("VMOVAPD %s, %s", reg(one), reg(v))
		w.op("VMOVAPD %s, K1, %s", reg(e), reg(v))
	} else {
		w.op("VCMPPD $17, %s, %s, %s", reg(zero), reg(z), reg(v))
		w.op("VBLENDVPD %s, %s, %s, %s", reg(v), reg(e), reg(one), reg(v))
	}
	w.op("VDIVPD %s, %s, %s", reg(u), reg(v), reg(v))
	w.op("VMOVUPD %s, (DI)", reg(v))
	// log(1 + e) = 2 u Σ u^2i/(2i+1), u = e/(2 + e)
	w.op("VADDPD %s, %s, %s", reg(two), reg(e), reg(u))
	w.op("VDIVPD %s, %s, %s", reg(u), reg(e), reg(u))
	w.op("VMULPD %s, %s, %s", reg(u), reg(u), reg(t))
	terms = logTerms()
	load(sprintf("log%d", len(terms)-1), v)
	for i := len(terms) - 2; i >= 0; i-- {
		load(sprintf("log%d", i), c)
		w.op("VMULPD %s, %s, %s", reg(t), reg(v), reg(v))
		w.op("VADDPD %s, %s, %s", reg(c), reg(v), reg(v))
	}
	w.op("VMULPD %s, %s, %s", reg(u), reg(v), reg(v))
	w.op("VMOVUPD %s, (SI)", reg(v))
	for _, r := range []string{"R8", "DI", "SI"} {
		w.op("ADDQ $%d, %s", s.bytes, r)
	}
	w.op("SUBQ $%d, CX", s.bytes/8)
	w.op("JNZ loop")
	w.finish()
}

// ln 2 in two parts, the first with enough zero bits that k times it is exact.
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// expTerms are those of Σ t^k/k!, enough for |t| <= ln(2)/2.
func expTerms() []float64 {
	terms := make([]float64, 14)
	factorial := 1.0
	for k := range terms {
		if k > 0 {
			factorial *= float64(k)
		}
		terms[k] = 1 / factorial
	}
	return terms
}

// logTerms are those of 2 Σ v^k/(2k+1), enough for v <= 1/9.
func logTerms() []float64 {
	terms := make([]float64, 17)
	for k := range terms {
		terms[k] = 2 / float64(2*k+1)
	}
	return terms
}

// residual writes z_rc = w_r (sigmoid(z_rc) − y_r) in float32, for rows of n
// vectors of 16.
func residual(w *writer, s set) {
	constants := map[string]string{}
	for _, e := range []struct {
		name string
		x    float64
	}{{"fastLog2e", -math.Log2E}, {"fastOne", 1}, {"fastHigh", 126}, {"fastLow", -126}} {
		constants[e.name] = w.constant32(e.name+s.suffix, e.x)
	}
	const degree = 7 // 2^t for |t| <= 1/2 to 1e-8
	for k := range degree + 1 {
		c := 1.0
		for i := 1; i <= k; i++ {
			c *= math.Ln2 / float64(i)
		}
		constants[sprintf("c%d", k)] = w.constant32(sprintf("fastExp%d%s", k, s.suffix), c)
	}
	w.function("fastResidual"+s.suffix, "rows, cols int, z, y, w *float32", 40)
	w.op("MOVQ rows+0(FP), CX")
	w.op("MOVQ cols+8(FP), DX")
	w.op("MOVQ z+16(FP), R8")
	w.op("MOVQ y+24(FP), SI")
	w.op("MOVQ w+32(FP), DI")
	reg := func(i int) string { return sprintf("%s%d", s.reg, i) }
	load := func(c string, to int) { w.op("VBROADCASTSS %s, %s", constants[c], reg(to)) }
	const x, k, t, e, c = 0, 1, 2, 3, 4
	const log2e, one, high, low, y, weight, top = 5, 6, 7, 8, 9, 10, 11
	load("fastLog2e", log2e)
	load("fastOne", one)
	load("fastHigh", high)
	load("fastLow", low)
	load("c7", top)
	w.line("rows:")
	w.op("VBROADCASTSS (SI), %s", reg(y))
	w.op("VBROADCASTSS (DI), %s", reg(weight))
	w.op("MOVQ DX, AX")
	w.line("columns:")
	w.op("VMULPS (R8), %s, %s", reg(log2e), reg(x))
	w.op("VMINPS %s, %s, %s", reg(x), reg(high), reg(x)) // keeps NaN
	w.op("VMAXPS %s, %s, %s", reg(x), reg(low), reg(x))
	if s == avx512 {
		w.op("VRNDSCALEPS $0, %s, %s", reg(x), reg(k))
	} else {
		w.op("VROUNDPS $0, %s, %s", reg(x), reg(k))
	}
	w.op("VSUBPS %s, %s, %s", reg(k), reg(x), reg(t))
	w.op("VMOVAPS %s, %s", reg(top), reg(e))
	for i := degree - 1; i >= 0; i-- {
		load(sprintf("c%d", i), c)
		w.op("VFMADD213PS %s, %s, %s", reg(c), reg(t), reg(e))
	}
	w.op("VCVTPS2DQ %s, %s", reg(k), reg(k))
	w.op("VPSLLD $23, %s, %s", reg(k), reg(k))
	w.op("VPADDD %s, %s, %s", reg(k), reg(e), reg(e)) // e^−z
	w.op("VADDPS %s, %s, %s", reg(one), reg(e), reg(e))
	w.op("VDIVPS %s, %s, %s", reg(e), reg(one), reg(e))
	w.op("VSUBPS %s, %s, %s", reg(y), reg(e), reg(e))
	w.op("VMULPS %s, %s, %s", reg(weight), reg(e), reg(e))
	w.op("VMOVUPS %s, (R8)", reg(e))
	w.op("ADDQ $%d, R8", s.bytes)
	w.op("SUBQ $%d, AX", s.bytes/4)
	w.op("JNZ columns")
	w.op("ADDQ $4, SI")
	w.op("ADDQ $4, DI")
	w.op("DECQ CX")
	w.op("JNZ rows")
	w.finish()
}
