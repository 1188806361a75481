// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"512MB": 512 << 20, "4GB": 4 << 30, "1.5g": 3 << 29, "2 GiB": 2 << 30, "65536K": 64 << 20, "1TB": 1 << 40,
		"": 0, "512": 0, "MB": 0, "-1GB": 0, "4XB": 0, "nanMB": 0, "12mb34": 0,
	} {
		if got, ok := byteSize(text); got != want || ok != (want > 0) {
			t.Errorf("%q is %d bytes, %v; want %d", text, got, ok, want)
		}
	}
}

func TestMemory(t *testing.T) {
	a := &app{fsys: data.Disk{}}
	if a.systemText("/proc/meminfo") == "" {
		t.Skip("this system does not say how much memory there is")
	}
	if n := a.memory(); n < 64<<20 {
		t.Errorf("%d bytes of memory", n)
	}
}
