// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilterDepth is how deep parentheses and nots may nest; more would only
// fill the stack.
const maxFilterDepth = 100

// ParseFilter parses a filter; the grammar stands at Filter. An error is a
// *FilterError.
func ParseFilter(text string) (*Filter, error) {
	tokens, err := lexFilter(text)
	if err != nil {
		return nil, err
	}
	p := filterParser{text: text, tokens: tokens}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != endToken {
		return nil, p.expected("'and', 'or' or the end")
	}
	return &Filter{text: text, root: root}, nil
}

type filterParser struct {
	text   string
	tokens []token // the last is the end
}

func (p *filterParser) peek() token { return p.tokens[0] }

func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.kind != endToken {
		p.tokens = p.tokens[1:]
	}
	return t
}

// take moves past the next token where it is the given word or symbol.
func (p *filterParser) take(word string) bool {
	if !p.peek().is(word) {
		return false
	}
	p.next()
	return true
}

// expected returns the error of a token that fits nowhere.
func (p *filterParser) expected(what string) error {
	t := p.peek()
	found := "the end"
	if t.kind != endToken {
		found = p.text[t.at:t.end]
	}
	if strings.HasPrefix(p.text[t.at:], "=>") {
		found = "=>"
	}
	if hint, ok := otherSpellings[strings.ToLower(found)]; ok {
		what += "; " + hint
	}
	return filterError(p.text, t.at, "found %s, expected %s", found, what)
}

// otherSpellings are those of other languages.
var otherSpellings = map[string]string{
	"=": "equal is ==", "=>": "at least is >=", "<>": "unequal is !=", "!": "write not", "&&": "write and", "||": "write or",
	"null": "a missing value is found by: column is missing", "none": "a missing value is found by: column is missing",
	"nan": "a missing value is found by: column is missing", "between": "write x >= 1 and x <= 2",
}

func (p *filterParser) or(depth int) (*term, error)  { return p.chain(opOr, p.and, depth) }
func (p *filterParser) and(depth int) (*term, error) { return p.chain(opAnd, p.not, depth) }

// chain parses one or more parts with an operator between them. Parts of the
// same operator in parentheses count as its own.
func (p *filterParser) chain(op operator, part func(int) (*term, error), depth int) (*term, error) {
	t := &term{op: op}
	for {
		next, err := part(depth)
		switch {
		case err != nil:
			return nil, err
		case next.op == op:
			t.parts = append(t.parts, next.parts...)
		default:
			t.parts = append(t.parts, next)
		}
		if !p.take(operators[op]) {
			break
		}
	}
	if len(t.parts) == 1 {
		return t.parts[0], nil
	}
	return t, nil
}

func (p *filterParser) not(depth int) (*term, error) {
	switch {
	case depth == maxFilterDepth:
		return nil, filterError(p.text, p.peek().at, "nested more than %d deep; write it flatter", maxFilterDepth)
	case p.take("not"):
		part, err := p.not(depth + 1)
		return &term{op: opNot, parts: []*term{part}}, err
	case p.take("("):
		t, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = p.expected("'and', 'or' or ')'")
		}
		return t, err
	}
	return p.test()
}

func (p *filterParser) test() (*term, error) {
	name := p.peek()
	if name.kind != nameToken && (name.kind != wordToken || reserved(name.text)) {
		return nil, p.expected("a column, 'not' or '('")
	}
	p.next()
	t := &term{column: name.text, at: name.at}
	for op := opEqual; op <= opAtLeast; op++ {
		if p.take(operators[op]) {
			v, err := p.value()
			t.op, t.values = op, []literal{v}
			return t, err
		}
	}
	switch {
	case p.take("in"):
		return t, p.list(t, opIn, opEqual)
	case p.take("not"):
		if !p.take("in") {
			return nil, p.expected("in")
		}
		return t, p.list(t, opNotIn, opUnequal)
	case p.take("is"):
		if t.op = opMissing; p.take("not") {
			t.op = opPresent
		}
		if !p.take("missing") {
			return nil, p.expected("missing or not missing")
		}
		return t, nil
	}
	return nil, p.expected("==, !=, <, <=, >, >=, in, not in, is missing or is not missing")
}

// list parses the values of a test for one of several, which is a comparison
// where they come down to one.
func (p *filterParser) list(t *term, several, one operator) error {
	closing := ")"
	if !p.take("(") {
		if !p.take("[") {
			return p.expected("a list such as ('a', 'b')")
		}
		closing = "]"
	}
	for {
		v, err := p.value()
		if err != nil {
			return err
		}
		if len(t.values) > 0 && t.values[0].typeName() != v.typeName() {
			return filterError(p.text, v.at, "found %v, %s, in a list that begins with %s; expected one type",
				v, v.typeName(), t.values[0].typeName())
		}
		t.values = append(t.values, v)
		if p.take(closing) {
			break
		}
		if !p.take(",") {
			return p.expected(", or " + closing)
		}
	}
	slices.SortFunc(t.values, compareLiterals)
	t.values = slices.CompactFunc(t.values, func(a, b literal) bool { return compareLiterals(a, b) == 0 })
	if t.op = several; len(t.values) == 1 {
		t.op = one
	}
	return nil
}

func (v literal) typeName() string {
	switch v.kind {
	case Text:
		return "a text"
	case Bool:
		return "a boolean"
	}
	return "a number"
}

func (p *filterParser) value() (literal, error) {
	t := p.peek()
	v := literal{at: t.at}
	switch {
	case t.kind == textToken:
		v.kind, v.text = Text, t.text
	case t.is("true"):
		v.kind, v.number = Bool, 1
	case t.is("false"):
		v.kind = Bool
	case t.kind == numberToken:
		if problem := v.parseNumber(t.text); problem != "" {
			return v, filterError(p.text, t.at, "%s", problem)
		}
	default:
		return v, p.expected("a number, true, false or a text in quotes such as 'login'")
	}
	p.next()
	return v, nil
}

// parseNumber takes in a number, of which zeros after the point do not count.
// It returns what is wrong with it, or "".
func (v *literal) parseNumber(s string) string {
	whole, fraction, point := strings.Cut(s, ".")
	whole, negative := strings.CutPrefix(whole, "-")
	if digits(whole) == "" || digits(whole) != whole || point && digits(fraction) == "" || digits(fraction) != fraction {
		return fmt.Sprintf("found %s, expected a number such as -30 or 2.5, without exponent or unit", s)
	}
	sign := ""
	if negative {
		sign = "-"
	}
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" {
		var err error
		v.kind = Int
		if v.number, err = strconv.ParseInt(sign+whole, 10, 64); err != nil {
			return fmt.Sprintf("found %s, expected an integer of 64 bits or a number of up to %d digits", s, numberDigits)
		}
		return ""
	}
	if n := len(strings.TrimLeft(whole+fraction, "0")); n > numberDigits || len(fraction) > maxScale {
		return fmt.Sprintf("found %s, expected a number of up to %d digits", s, numberDigits)
	}
	v.kind = Float
	v.float, _ = strconv.ParseFloat(sign+whole+"."+fraction, 64)
	return ""
}

// digits returns the digits at the start of s.
func digits(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }

type tokenKind uint8

const (
	endToken tokenKind = iota
	wordToken
	nameToken // in backquotes
	textToken
	numberToken
	symbolToken
)

// A token is one word or symbol of a filter, from byte at to end.
type token struct {
	kind    tokenKind
	text    string // without quotes
	at, end int
}

// is reports whether the token is a word, in any case, or a symbol.
func (t token) is(word string) bool {
	return t.kind == symbolToken && t.text == word || t.kind == wordToken && strings.EqualFold(t.text, word)
}

// reserved reports whether a word is part of the grammar, so that a column of
// that name needs backquotes.
func reserved(word string) bool {
	return slices.ContainsFunc([]string{"and", "or", "not", "in", "is", "missing", "true", "false"},
		func(r string) bool { return strings.EqualFold(r, word) })
}

// symbols are those of the grammar and, for better messages, of other
// languages; longer ones first.
var symbols = []string{"==", "!=", "<=", ">=", "<>", "&&", "||", "<", ">", "(", ")", "[", "]", ",", "=", "!"}

// lexFilter splits a filter into tokens.
func lexFilter(text string) ([]token, error) {
	var tokens []token
	for at := 0; ; {
		at = len(text) - len(strings.TrimLeftFunc(text[at:], unicode.IsSpace))
		if at == len(text) {
			return append(tokens, token{at: at, end: at}), nil
		}
		t, err := lexToken(text, at)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		at = t.end
	}
}

func lexToken(text string, at int) (token, error) {
	rest := text[at:]
	t := token{at: at, text: rest}
	switch c := rest[0]; {
	case c == '\'' || c == '"' || c == '`':
		if t.kind = textToken; c == '`' {
			t.kind = nameToken
		}
		inner, n := unquote(rest)
		if n == 0 {
			return t, filterError(text, at, "found a quote %c without its end", c)
		}
		if t.kind == nameToken && inner == "" {
			return t, filterError(text, at, "found a column without a name")
		}
		t.text, t.end = inner, at+n
		return t, nil
	case c >= '0' && c <= '9' || c == '-':
		n := 1 // with what follows, so that 30d is one wrong number
		for n < len(rest) {
			r, size := utf8.DecodeRuneInString(rest[n:])
			if r != '.' && !inWord(r) {
				break
			}
			n += size
		}
		t.kind, t.text, t.end = numberToken, rest[:n], at+n
		return t, nil
	}
	if n := wordLength(rest); n > 0 {
		t.kind, t.text, t.end = wordToken, rest[:n], at+n
		return t, nil
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s) {
			t.kind, t.text, t.end = symbolToken, s, at+len(s)
			return t, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return t, filterError(text, at, "found %q, expected a column, a value or an operator; "+
		"a column of such a name is written in backquotes", r)
}

// wordLength returns the length of the word at the start of s: letters, digits
// and _, not beginning with a digit.
func wordLength(s string) int {
	for i, r := range s {
		if !inWord(r) || i == 0 && unicode.IsDigit(r) {
			return i
		}
	}
	return len(s)
}

func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// unquote returns what stands in the quotes at the start of s, in which a
// quote is written twice, and the length with the quotes, 0 without an end.
func unquote(s string) (inner string, n int) {
	quote := s[:1]
	var b strings.Builder
	for at := 1; ; {
		end := strings.Index(s[at:], quote)
		if end < 0 {
			return "", 0
		}
		b.WriteString(s[at : at+end])
		at += end + 1
		if !strings.HasPrefix(s[at:], quote) {
			return b.String(), at
		}
		b.WriteString(quote)
		at++
	}
}
