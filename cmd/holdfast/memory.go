// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

// leastMemory is what a run takes before it has read an event.
const leastMemory = 64 << 20

// ownMemory is what the program itself takes beside its data, with its threads
// and the granularity of the heap, which grows by 64 MB.
const ownMemory = 192 << 20

// warnOfMemory says so where a limit of the process leaves so little memory that
// the runtime may end it: its own words then tell nobody what to do.
func (a *app) warnOfMemory() {
	if limit := memoryLimit(); limit > 0 && limit < ownMemory+leastMemory {
		a.warn("this process may use %d MB of memory (ulimit -d, ulimit -v); below %d MB it may end with the runtime's \"out of memory\": raise the limit. "+
			"Whatever happens, nothing is left half-written", limit>>20, (ownMemory+leastMemory)>>20)
	}
}

// boundMemory reads --max-memory. Two fifths of it are for events; the rest is
// for accounts, for what is being read and written, and for the collector's
// slack, which a memory limit on the whole keeps in bounds. A fit may take all of
// it. Without it, events may take two fifths of the memory there is, and a fit
// nine tenths.
func (a *app) boundMemory() error {
	if a.maxMemory == "" {
		n := a.memory()
		a.eventBytes, a.fitBytes = n/5*2, n/10*9
		return nil
	}
	n, ok := byteSize(a.maxMemory)
	if !ok || n < leastMemory {
		return usageError("--max-memory %q: expected a size of 64MB or more, such as 512MB or 4GB", a.maxMemory)
	}
	debug.SetMemoryLimit(n - n/10)
	a.eventBytes, a.fitBytes = n/5*2, n
	return nil
}

// byteSize reads a size in powers of 1024.
func byteSize(text string) (n int64, ok bool) {
	digits := strings.TrimRight(text, "KMGTiBkmgtb ")
	unit := strings.ToUpper(strings.TrimSpace(text[len(digits):]))
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I")
	power := strings.Index("KMGT", unit)
	if len(unit) != 1 || power < 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(f > 0 && f < 1<<20) {
		return 0, false
	}
	return int64(f * math.Exp2(10*float64(power+1))), true
}

// memory returns the bytes of memory that the process may use: those of the
// machine, or fewer where a control group or a limit of the process says so; 0
// where nobody says.
func (a *app) memory() int64 {
	var least int64
	take := func(text string, unit int64) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n > 0 && n < math.MaxInt64/unit && (least == 0 || n*unit < least) {
			least = n * unit
		}
	}
	if limit := memoryLimit(); limit > 0 {
		least = max(limit-ownMemory, leastMemory)
	}
	for _, line := range strings.Split(a.systemText("/proc/meminfo"), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
			take(f[1], 1024)
		}
	}
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		take(strings.TrimSpace(a.systemText(name)), 1)
	}
	return least
}

// systemText returns the text of a small file of the system, "" where there is
// none.
func (a *app) systemText(name string) string {
	f, err := a.fsys.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
	return string(b)
}
