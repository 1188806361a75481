// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func linesAVX2(rows, terms int, x **float64, lines *wideLine, b *scoreBlock, slope, least, most float64)
//
// For four rows at a time, and for each term: its value
//
//	f = constant + weight clip((clip(x, low, high) - mean)/sd, least, most),
//
// or missing where x is NaN, is added to z; the effect slope (f - ref) and its
// word, which is one more above the median and two more where x is NaN, go to
// their place among the three largest. Rows are a multiple of four. Fields of
// wideLine are 32 bytes each, those of scoreBlock 2,048: z, the effects from the
// largest on, their words.
TEXT ·linesAVX2(SB), NOSPLIT, $0-64
	MOVQ rows+0(FP), CX
	MOVQ terms+8(FP), R8
	MOVQ x+16(FP), R9
	MOVQ lines+24(FP), R10
	MOVQ b+32(FP), DI
	VBROADCASTSD slope+40(FP), Y8
	VBROADCASTSD least+48(FP), Y6
	VBROADCASTSD most+56(FP), Y7
	XORQ R11, R11 // bytes of a row before these four
row:
	VMOVUPD (DI), Y15 // z
	VMOVUPD 2048(DI), Y12 // the largest effect
	VMOVUPD 4096(DI), Y13
	VMOVUPD 6144(DI), Y14
	VMOVUPD 8192(DI), Y9 // its word
	VMOVUPD 10240(DI), Y10
	VMOVUPD 12288(DI), Y11
	MOVQ R9, DX
	MOVQ R10, BX
	MOVQ R8, AX
term:
	MOVQ (DX), SI
	VMOVUPD (SI)(R11*1), Y0
	VMAXPD (BX), Y0, Y1 // low
	VMINPD 32(BX), Y1, Y1 // high
	VSUBPD 64(BX), Y1, Y1 // mean
	VDIVPD 96(BX), Y1, Y1 // sd
	VMAXPD Y6, Y1, Y1
	VMINPD Y7, Y1, Y1
	VMULPD 128(BX), Y1, Y1 // weight
	VADDPD 160(BX), Y1, Y1 // constant
	VCMPPD $3, Y0, Y0, Y2 // x is NaN
	VBLENDVPD Y2, 192(BX), Y1, Y1 // missing
	VADDPD Y1, Y15, Y15
	VSUBPD 224(BX), Y1, Y1 // ref
	VMULPD Y8, Y1, Y1
	VCMPPD $30, 256(BX), Y0, Y3 // above the median
	VMOVDQU 288(BX), Y4 // word
	VPSUBQ Y3, Y4, Y4
	VPSUBQ Y2, Y4, Y4
	VPSUBQ Y2, Y4, Y4
	VCMPPD $30, Y12, Y1, Y2 // larger than the first
	VCMPPD $30, Y13, Y1, Y3
	VCMPPD $30, Y14, Y1, Y5
	VBLENDVPD Y3, Y13, Y1, Y0
	VBLENDVPD Y5, Y0, Y14, Y14
	VBLENDVPD Y3, Y10, Y4, Y0
	VBLENDVPD Y5, Y0, Y11, Y11
	VBLENDVPD Y2, Y12, Y1, Y0
	VBLENDVPD Y3, Y0, Y13, Y13
	VBLENDVPD Y2, Y9, Y4, Y0
	VBLENDVPD Y3, Y0, Y10, Y10
	VBLENDVPD Y2, Y1, Y12, Y12
	VBLENDVPD Y2, Y4, Y9, Y9
	ADDQ $8, DX
	ADDQ $320, BX
	DECQ AX
	JNZ term
	VMOVUPD Y15, (DI)
	VMOVUPD Y12, 2048(DI)
	VMOVUPD Y13, 4096(DI)
	VMOVUPD Y14, 6144(DI)
	VMOVUPD Y9, 8192(DI)
	VMOVUPD Y10, 10240(DI)
	VMOVUPD Y11, 12288(DI)
	ADDQ $32, DI
	ADDQ $32, R11
	SUBQ $4, CX
	JNZ row
	VZEROUPPER
	RET
