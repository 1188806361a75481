// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package train

// Other processors run the definitions.

func crossProduct(h, a, b []float64, rows, stride int) { crossProductGo(h, a, b, rows, stride) }

func rankUpdate(c, a, b []float64, depth, rows, cols, stride int) {
	rankUpdateGo(c, a, b, depth, rows, cols, stride)
}

func predictMany(z, x, theta []float64, rows, stride int) { predictManyGo(z, x, theta, rows, stride) }

func gradientMany(g, x, e []float64, rows, stride int) { gradientManyGo(g, x, e, rows, stride) }

func predict1(z, x, theta []float64, rows, stride int) { predict1Go(z, x, theta, rows, stride) }

func gradient1(g, x, e []float64, rows, stride int) { gradient1Go(g, x, e, rows, stride) }

func addRows(dst, a, w []float64, stride int) { addRowsGo(dst, a, w, stride) }

func scaleRows(dst, x, q []float64, rows, stride int) { scaleRowsGo(dst, x, q, rows, stride) }

func logistic(p, l, z []float64) { logisticGo(p, l, z) }
