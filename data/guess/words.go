// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"slices"
	"strings"
	"unicode"
)

// words splits a name as people write names of columns: customer_id,
// customer-id, customerID and CustomerId all give customer, id.
func words(name string) []string {
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		afterLower := i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]))
		endsAcronym := i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && (afterLower || endsAcronym) {
			end()
		}
		word = append(word, r)
	}
	end()
	return out
}

// rank returns the index of the first pattern that a name matches, or -1. A
// pattern is one or more beginnings of words, all of which the name must have
// ("renew date" matches next_renewal_date), or = and the whole name ("=ts").
func rank(name string, patterns ...string) int {
	have := words(name)
	return slices.IndexFunc(patterns, func(p string) bool {
		if whole, ok := strings.CutPrefix(p, "="); ok {
			return strings.Join(have, " ") == whole
		}
		for _, start := range strings.Fields(p) {
			if !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, start) }) {
				return false
			}
		}
		return true
	})
}

func speaks(name string, patterns ...string) bool { return rank(name, patterns...) >= 0 }

// Words of whom a company may lose, the surest first.
var accountWords = []string{"account", "customer", "client", "company", "tenant", "cust", "acct",
	"member", "subscriber", "user", "student", "organisation", "organization", "org", "merchant", "buyer",
	"shopper", "patient", "donor", "household", "policyholder"}

// Words of what happens to accounts, or is sold to them.
var otherWords = []string{"contract", "subscription", "policy", "licen", "agreement", "term", "order",
	"invoice", "payment", "ticket", "event", "transaction", "session", "product", "item", "visit", "renewal"}

// Words of tables of contract terms.
var contractWords = []string{"contract", "subscription", "term", "renewal", "polic", "licen", "membership",
	"agreement", "enrol", "lease"}

// idWords are what remains of a key's name beside whom it identifies.
var idWords = []string{"id", "ids", "key", "no", "nr", "number", "num", "code", "uuid", "guid", "ref", "sk",
	"pk", "fk"}

// subjects returns what a key identifies: the words of its name without id and
// the like, or those of its table where nothing else is left.
func subjects(key, table string) []string {
	var out []string
	for _, w := range words(key) {
		if !slices.Contains(idWords, w) {
			out = append(out, singular(w))
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, w := range words(table) {
		out = append(out, singular(w))
	}
	return out
}

func singular(w string) string {
	switch {
	case strings.HasSuffix(w, "ies"):
		return strings.TrimSuffix(w, "ies") + "y"
	case strings.HasSuffix(w, "ss"):
		return w
	}
	return strings.TrimSuffix(w, "s")
}

// agree reports whether a column's name says that it refers to a key: the same
// name (a bare id aside), the key's subject, or both of them a word for account.
func agree(column, key, table string) bool {
	of := words(column)
	subject := subjects(key, table)
	bare := slices.ContainsFunc(words(key), func(w string) bool { return !slices.Contains(idWords, w) })
	if bare && slices.Equal(of, words(key)) {
		return true
	}
	ids := slices.ContainsFunc(of, func(w string) bool { return slices.Contains(idWords, w) })
	for _, w := range of {
		if (ids || len(of) == 1) && slices.Contains(subject, singular(w)) {
			return true
		}
	}
	return ids && speaks(column, accountWords...) && speaks(strings.Join(subject, " "), accountWords...)
}
