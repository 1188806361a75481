// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// themes returns the colours of the style sheet, light and dark, by name.
func themes(t *testing.T) map[string]map[string][3]float64 {
	t.Helper()
	parts := strings.SplitN(style, "@media (prefers-color-scheme: dark)", 2)
	if len(parts) != 2 {
		t.Fatal("the style sheet has no dark mode")
	}
	dark, _, _ := strings.Cut(parts[1], "* {")
	out := map[string]map[string][3]float64{}
	for name, text := range map[string]string{"light": parts[0], "dark": dark} {
		out[name] = map[string][3]float64{}
		for _, m := range regexp.MustCompile(`--([a-z0-9]+): #([0-9a-f]{6})`).FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseUint(m[2], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			out[name][m[1]] = [3]float64{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
		}
	}
	if len(out["light"]) < 15 || len(out["light"]) != len(out["dark"]) {
		t.Fatalf("%d colours in light and %d in dark mode", len(out["light"]), len(out["dark"]))
	}
	return out
}

// linear are the components of a colour as light. Source: WCAG 2.2, relative
// luminance.
func linear(c [3]float64) [3]float64 {
	for k := range c {
		if c[k] /= 255; c[k] <= 0.04045 {
			c[k] /= 12.92
		} else {
			c[k] = math.Pow((c[k]+0.055)/1.055, 2.4)
		}
	}
	return c
}

func contrast(a, b [3]float64) float64 {
	luminance := func(c [3]float64) float64 {
		v := linear(c)
		return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2] + 0.05
	}
	x, y := luminance(a), luminance(b)
	return max(x, y) / min(x, y)
}

// Text has the contrast of WCAG 2.2 AA, 4.5 : 1, on whatever it stands on; lines,
// bars and signs have 3 : 1.
func TestContrast(t *testing.T) {
	for theme, colour := range themes(t) {
		check := func(name, on string, least float64) {
			t.Helper()
			a, known := colour[name]
			if got := contrast(a, colour[on]); !known || got < least {
				t.Errorf("%s: %s on %s has %.2f, want %.1f", theme, name, on, got, least)
			}
		}
		for _, on := range []string{"paper", "panel"} {
			for _, name := range []string{"ink", "soft", "good", "none", "bad", "warm", "s0"} {
				check(name, on, 4.5)
			}
		}
		for k := range 7 {
			check(fmt.Sprint("s", k), "paper", 3)
		}
		for _, name := range []string{"base", "observed", "warm", "soft"} {
			check(name, "paper", 3)
		}
	}
}

// What is told apart by colour alone, bars of churned beside bars of stayed, is
// told apart by people who see two of three colours as well.
//
// Source: Viénot, Brettel and Mollon, Color Research and Application 24 (1999),
// for protanopes and deuteranopes.
func TestBarsWithoutRedOrGreen(t *testing.T) {
	seen := map[string][3][3]float64{
		"protanope":   {{0.1124, 0.8876, 0}, {0.1124, 0.8876, 0}, {0.0040, -0.0040, 1}},
		"deuteranope": {{0.2928, 0.7072, 0}, {0.2928, 0.7072, 0}, {-0.0223, 0.0223, 1}},
	}
	for theme, colour := range themes(t) {
		for who, matrix := range seen {
			var apart float64
			a, b := linear(colour["s0"]), linear(colour["s1"])
			for _, row := range matrix {
				var d float64
				for k := range row {
					d += row[k] * (a[k] - b[k])
				}
				apart += d * d
			}
			if apart = math.Sqrt(apart); apart < 0.25 { // of √3, black to white
				t.Errorf("%s, %s: the colours of churned and stayed are %.2f apart", theme, who, apart)
			}
		}
	}
}
