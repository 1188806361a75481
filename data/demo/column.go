// SPDX-License-Identifier: Apache-2.0

package demo

import "github.com/holdfast-churn/holdfast/data"

// newTable joins columns of equal length.
func newTable(name string, columns ...data.Column) data.Table {
	return data.Table{Name: name, Rows: columns[0].Len(), Columns: columns}
}

func floatColumn(name string, x []float64) data.Column {
	return data.Column{Name: name, Kind: data.Float, Floats: x}
}

func intColumn(name string, x []int64) data.Column {
	return data.Column{Name: name, Kind: data.Int, Ints: x}
}

func timeColumn(name string, ns []int64) data.Column {
	return data.Column{Name: name, Kind: data.Time, Ints: ns}
}

func boolColumn(name string, x []bool) data.Column {
	c := data.Column{Name: name, Kind: data.Bool, Ints: make([]int64, len(x))}
	for i, v := range x {
		if v {
			c.Ints[i] = 1
		}
	}
	return c
}

// dateColumn makes a column of days; never is missing.
func dateColumn(name string, x []day) data.Column {
	c := data.Column{Name: name, Kind: data.Date, Ints: make([]int64, len(x))}
	for i, d := range x {
		if d != never {
			c.Ints[i] = int64(d)
			continue
		}
		if c.Null == nil {
			c.Null = make([]bool, len(x))
		}
		c.Null[i] = true
	}
	return c
}

// textColumn makes a column of codes into names, of which the dictionary
// keeps those that occur, in order of first appearance.
func textColumn(name string, codes []int32, names []string) data.Column {
	c := data.Column{Name: name, Kind: data.Text, Codes: make([]int32, len(codes))}
	place := make([]int32, len(names))
	for i := range place {
		place[i] = missing
	}
	for i, k := range codes {
		if k == missing {
			c.Codes[i] = missing
			continue
		}
		if place[k] == missing {
			place[k] = int32(len(c.Dict))
			c.Dict = append(c.Dict, names[k])
		}
		c.Codes[i] = place[k]
	}
	return c
}

// textsColumn makes a column of texts that are mostly distinct; "" is missing.
func textsColumn(name string, texts []string) data.Column {
	codes := make([]int32, len(texts))
	var names []string
	place := make(map[string]int32, len(texts))
	for i, s := range texts {
		if s == "" {
			codes[i] = missing
			continue
		}
		k, ok := place[s]
		if !ok {
			k = int32(len(names))
			place[s] = k
			names = append(names, s)
		}
		codes[i] = k
	}
	return textColumn(name, codes, names)
}
