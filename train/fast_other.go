// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package train

func fastProduct(c []float32, ldc int, a view, b []float32, ldb, m, k, n int) {
	fastProductGo(c, ldc, a, b, ldb, m, k, n)
}

func fastResidual(z, y, w []float32, rows, cols int) { fastResidualGo(z, y, w, rows, cols) }

func fastScale(dst, x, q []float32, rows, stride int) { fastScaleGo(dst, x, q, rows, stride) }
