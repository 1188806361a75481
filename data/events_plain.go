// SPDX-License-Identifier: Apache-2.0

package data

// plain reports whether nothing about any row of the batch asks for a decision:
// each has a known account and a time, and records hold no more than those, a
// type and a short decimal. Most batches are like that.
func (w *joinWorker) plain() bool {
	b := &w.rows
	if w.layout.stride > 2 || len(w.filters) > 0 || len(w.odd) > 0 {
		return false
	}
	least := int32(0)
	for _, a := range b.account.out {
		least = min(least, a)
	}
	earliest := int64(0)
	for _, at := range b.at {
		earliest = min(earliest, at)
	}
	return least >= 0 && earliest > NoTime
}

// addPlain does what add does for a plain batch, one thing after the other for
// all rows: what is done to a row is so little that doing all of it at once
// leaves the processor waiting.
func (w *joinWorker) addPlain() error {
	if w.layout.byDay() {
		return w.addPlainDays()
	}
	b, counts := &w.rows, &w.counts
	counts.rows += b.n
	accounts, at := b.account.out[:b.n], b.at[:b.n]
	w.keys = resize(w.keys, b.n)
	keys := w.keys
	for r := range keys {
		keys[r] = uint64(noValue)
	}
	if len(b.value.out) > 0 {
		for r, v := range b.value.out {
			keys[r] = uint64(v)
		}
	}
	if len(b.class.out) > 0 {
		for r, class := range b.class.out {
			keys[r] |= uint64(class) << 32
		}
	}
	var sum [2]uint64
	for r, key := range keys {
		class := uint16(key >> 32)
		if int(class) >= len(counts.classes) {
			counts.meet(class, w.classes)
		}
		k := &counts.classes[class]
		k.rows++
		if packed(key) != noValue {
			k.valued++
		}
		lo, hi := digestRow(uint64(at[r]), uint64(packed(key))^k.hash, w.h.number(accounts[r]), nil)
		sum[0] += lo
		sum[1] += hi
	}
	counts.sum[0] += sum[0]
	counts.sum[1] += sum[1]
	for _, t := range at {
		counts.days.add(t)
	}
	shift := w.store.shift
	mask := int32(1)<<shift - 1
	for r, a := range accounts {
		record := w.out.record(int(a) >> shift)
		record[0], record[1] = uint64(at[r]), uint64(a&mask)<<48|keys[r]
	}
	return w.out.err
}
