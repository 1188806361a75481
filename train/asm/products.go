// SPDX-License-Identifier: Apache-2.0

package main

// An element is what a vector register holds.
type element struct {
	bits  int
	fused bool // multiply and add in one instruction
}

func (e element) suffix() string {
	if e.bits == 64 {
		return "D"
	}
	return "S"
}

func (e element) name() string {
	if e.fused {
		return "fast"
	}
	return "exact"
}

// widths returns the widths of tiles in registers. With AVX-512 8 rows of 3
// registers are the sums; AVX2 has registers for 4 rows of 2.
func (s set) widths() []int {
	if s == avx512 {
		return []int{3, 2, 1}
	}
	return []int{2}
}

// tileRows returns the rows of a tile.
func (s set) tileRows() int {
	if s == avx512 {
		return 8
	}
	return 4
}

// tile writes the kernel behind all matrix products, for a tile of C of 8 or 4
// rows and n registers' columns:
//
//	C_ic += Σ_p A_ip B_pc
//
// Strides are in bytes: A_ip is at a + i·ai + p·ap, B_pc in a row at b + p·bp,
// C_ic in a row at c + i·ci. Sums start at zero, run over p in order, and are
// added to C at the end.
func tile(w *writer, s set, e element, n int) {
	rows := s.tileRows()
	name := sprintf("%sTile%dx%d%s", e.name(), rows, n*s.bytes*8/e.bits, s.suffix)
	kind := sprintf("float%d", e.bits)
	w.function(name, sprintf("k int, a *%s, ai, ap int, b *%s, bp int, c *%s, ci int", kind, kind, kind), 64)
	w.op("MOVQ k+0(FP), CX")
	w.op("MOVQ a+8(FP), R8")
	w.op("MOVQ ai+16(FP), SI")
	w.op("MOVQ ap+24(FP), DX")
	w.op("MOVQ b+32(FP), BX")
	w.op("MOVQ bp+40(FP), DI")
	w.op("MOVQ c+48(FP), R11")
	w.op("MOVQ ci+56(FP), R12")
	// Row addresses: R8, R9 = R8 + 3 ai and R10 = R8 + 6 ai reach all eight.
	w.op("LEAQ (R8)(SI*2), R9")
	w.op("ADDQ SI, R9")
	if rows == 8 {
		w.op("LEAQ (R9)(SI*2), R10")
		w.op("ADDQ SI, R10")
	}
	address := []string{"(R8)", "(R8)(SI*1)", "(R8)(SI*2)", "(R9)", "(R8)(SI*4)", "(R9)(SI*2)", "(R10)", "(R9)(SI*4)"}
	sum := func(i, j int) string { return sprintf("%s%d", s.reg, i*n+j) }
	from := rows * n // first free register
	b := func(j int) string { return sprintf("%s%d", s.reg, from+j) }
	a := sprintf("%s%d", s.reg, from+n)
	product := func(k int) string { return sprintf("%s%d", s.reg, from+n+1+k%2) }
	for i := range rows {
		for j := range n {
			w.op("VXORPD %s, %s, %s", sum(i, j), sum(i, j), sum(i, j))
		}
	}
	w.op("TESTQ CX, CX")
	w.op("JZ store")
	w.line("loop:")
	for j := range n {
		w.op("VMOVUP%s %d(BX), %s", e.suffix(), j*s.bytes, b(j))
	}
	k := 0
	for i := range rows {
		w.op("VBROADCASTS%s %s, %s", e.suffix(), address[i], a)
		for j := range n {
			if e.fused {
				w.op("VFMADD231P%s %s, %s, %s", e.suffix(), b(j), a, sum(i, j))
				continue
			}
			w.op("VMULP%s %s, %s, %s", e.suffix(), b(j), a, product(k))
			w.op("VADDP%s %s, %s, %s", e.suffix(), product(k), sum(i, j), sum(i, j))
			k++
		}
	}
	w.op("ADDQ DX, R8")
	w.op("ADDQ DX, R9")
	if rows == 8 {
		w.op("ADDQ DX, R10")
	}
	w.op("ADDQ DI, BX")
	w.op("DECQ CX")
	w.op("JNZ loop")
	w.line("store:")
	for i := range rows {
		for j := range n {
			w.op("VADDP%s %d(R11), %s, %s", e.suffix(), j*s.bytes, sum(i, j), sum(i, j))
			w.op("VMOVUP%s %s, %d(R11)", e.suffix(), sum(i, j), j*s.bytes)
		}
		if i < rows-1 {
			w.op("ADDQ R12, R11")
		}
	}
	w.finish()
}

// dots writes predict1 for rows in fours: eight partial sums a row, in the
// lanes of one register or two.
func dots(w *writer, s set) {
	w.function("predict1"+s.suffix, "rows, cols int, x, theta, z *float64", 40)
	w.op("MOVQ rows+0(FP), CX")
	w.op("MOVQ cols+8(FP), DX")
	w.op("MOVQ x+16(FP), R8")
	w.op("MOVQ theta+24(FP), BX")
	w.op("MOVQ z+32(FP), DI")
	w.op("SHLQ $3, DX") // bytes a row
	parts := 64 / s.bytes
	sum := func(r, part int) string { return sprintf("%s%d", s.reg, r*parts+part) }
	theta := func(part int) string { return sprintf("%s%d", s.reg, 4*parts+part) }
	product := func(k int) string { return sprintf("%s%d", s.reg, 5*parts+k%2) }
	w.line("rows:")
	for r := range 4 {
		for part := range parts {
			w.op("VXORPD %s, %s, %s", sum(r, part), sum(r, part), sum(r, part))
		}
	}
	w.op("LEAQ (R8)(DX*1), R9")
	w.op("LEAQ (R8)(DX*2), R10")
	w.op("LEAQ (R9)(DX*2), R11")
	w.op("XORQ AX, AX")
	w.line("columns:")
	for part := range parts {
		w.op("VMOVUPD %d(BX)(AX*1), %s", part*s.bytes, theta(part))
	}
	k := 0
	for r, base := range []string{"R8", "R9", "R10", "R11"} {
		w.op("PREFETCHT0 4096(%s)(AX*1)", base) // rows come from memory, and pages end
		for part := range parts {
			w.op("VMULPD %d(%s)(AX*1), %s, %s", part*s.bytes, base, theta(part), product(k))
			w.op("VADDPD %s, %s, %s", product(k), sum(r, part), sum(r, part))
			k++
		}
	}
	w.op("ADDQ $64, AX")
	w.op("CMPQ AX, DX")
	w.op("JLT columns")
	for r := range 4 {
		first := r * parts
		if s == avx512 {
			w.op("VEXTRACTF64X4 $1, Z%d, Y5", first)
			w.op("VADDPD Y5, Y%d, Y%d", first, first)
		} else {
			w.op("VADDPD Y%d, Y%d, Y%d", first+1, first, first)
		}
		high := first + 1
		if s == avx512 {
			high = 5
		}
		w.op("VEXTRACTF128 $1, Y%d, X%d", first, high)
		w.op("VADDPD X%d, X%d, X%d", high, first, first)
		w.op("VHADDPD X%d, X%d, X%d", first, first, first)
		w.op("VMOVSD X%d, %d(DI)", first, 8*r)
	}
	w.op("ADDQ $32, DI")
	w.op("LEAQ (R8)(DX*4), R8")
	w.op("SUBQ $4, CX")
	w.op("JNZ rows")
	w.finish()
}

// rowSum writes gradient1 for n registers' columns: g_j += Σ_r x_rj e_r.
func rowSum(w *writer, s set, n int) {
	w.function(sprintf("gradient1x%d%s", n*s.bytes/8, s.suffix), "rows int, x *float64, stride int, e, sum *float64", 40)
	w.op("MOVQ rows+0(FP), CX")
	w.op("MOVQ x+8(FP), R8")
	w.op("MOVQ stride+16(FP), DX")
	w.op("MOVQ e+24(FP), BX")
	w.op("MOVQ sum+32(FP), DI")
	w.op("SHLQ $3, DX")
	for j := range n {
		w.op("VXORPD %s%d, %s%d, %s%d", s.reg, j, s.reg, j, s.reg, j)
	}
	w.line("loop:")
	w.op("VBROADCASTSD (BX), %s15", s.reg)
	for j := range n {
		w.op("VMULPD %d(R8), %s15, %s%d", j*s.bytes, s.reg, s.reg, 13+j%2)
		w.op("VADDPD %s%d, %s%d, %s%d", s.reg, 13+j%2, s.reg, j, s.reg, j)
	}
	w.op("ADDQ $8, BX")
	w.op("ADDQ DX, R8")
	w.op("DECQ CX")
	w.op("JNZ loop")
	for j := range n {
		w.op("VADDPD %d(DI), %s%d, %s%d", j*s.bytes, s.reg, j, s.reg, j)
		w.op("VMOVUPD %s%d, %d(DI)", s.reg, j, j*s.bytes)
	}
	w.finish()
}

// scale writes dst_rj = q_r x_rj for rows that fill whole cache lines.
func scale(w *writer, s set, e element) {
	kind := sprintf("float%d", e.bits)
	w.function(e.name()+"Scale"+s.suffix, sprintf("rows, stride int, dst, x, q *%s", kind), 40)
	w.op("MOVQ rows+0(FP), CX")
	w.op("MOVQ stride+8(FP), DX")
	w.op("MOVQ dst+16(FP), DI")
	w.op("MOVQ x+24(FP), R8")
	w.op("MOVQ q+32(FP), BX")
	shift := 3
	if e.bits == 32 {
		shift = 2
	}
	w.op("SHLQ $%d, DX", shift)
	w.line("rows:")
	w.op("VBROADCASTS%s (BX), %s0", e.suffix(), s.reg)
	w.op("XORQ AX, AX")
	w.line("columns:")
	for at := 0; at < 64; at += s.bytes {
		w.op("VMULP%s %d(R8)(AX*1), %s0, %s1", e.suffix(), at, s.reg, s.reg)
		w.op("VMOVUP%s %s1, %d(DI)(AX*1)", e.suffix(), s.reg, at)
	}
	w.op("ADDQ $64, AX")
	w.op("CMPQ AX, DX")
	w.op("JLT columns")
	w.op("ADDQ $%d, BX", e.bits/8)
	w.op("ADDQ DX, R8")
	w.op("ADDQ DX, DI")
	w.op("DECQ CX")
	w.op("JNZ rows")
	w.finish()
}
