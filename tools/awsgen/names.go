package main

import (
	"strings"
	"unicode"
)

// goName exports a model name: only the first letter changes.
func goName(s string) string {
	s = strings.TrimLeft(s, "_")
	return strings.ToUpper(s[:1]) + s[1:]
}

// initialisms keep their case in constant names.
var initialisms = map[string]bool{
	"API": true, "ARN": true, "AWS": true, "DNS": true, "EC": true, "ECDSA": true, "HTTP": true, "HTTPS": true, "IAM": true,
	"ID": true, "IP": true, "JSON": true, "JWT": true, "KMS": true, "RSA": true, "SDK": true, "TLS": true, "URI": true,
	"URL": true, "VPC": true, "XML": true,
}

// constName makes the name of an enum value: the enum's name and the value's
// key, words joined.
func constName(enum, key string) string {
	var b strings.Builder
	b.WriteString(goName(enum))
	for _, word := range strings.FieldsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		switch {
		case initialisms[word]:
			b.WriteString(word)
		case word == strings.ToUpper(word):
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		default:
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
