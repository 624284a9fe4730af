package tree

import (
	"net/url"
	"strings"
)

// Unescape undoes the escapes of a part of a reference (RFC 6901 and 3986).
func Unescape(part string) string {
	if !strings.ContainsAny(part, "~%") {
		return part
	}
	if plain, err := url.PathUnescape(part); err == nil {
		part = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}
