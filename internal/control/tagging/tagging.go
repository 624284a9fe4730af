// Package tagging has AWS's limits of tags, which the faces of API Gateway
// share.
package tagging

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// AWS's fixed limits of tags.
const (
	maxTags  = 50
	maxKey   = 128
	maxValue = 256
)

// An Error says what can't be a tag.
type Error string

func (e Error) Error() string { return string(e) }

func refuse(format string, args ...any) error { return Error(fmt.Sprintf(format, args...)) }

// Add adds tags to those a resource has, and refuses with an Error what can't be
// a tag. The map it writes is a new one: the old one may be shared.
func Add(tags *map[string]string, add map[string]string) error {
	if len(add) == 0 {
		return nil
	}
	merged := maps.Clone(*tags)
	if merged == nil {
		merged = map[string]string{}
	}
	// UNVERIFIED: the words of these errors.
	for key, v := range add {
		if n := utf8.RuneCountInString(key); n == 0 || n > maxKey {
			return refuse("Tag keys must have between 1 and %d characters", maxKey)
		}
		if utf8.RuneCountInString(v) > maxValue {
			return refuse("Tag values must have at most %d characters", maxValue)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return refuse("Tag keys beginning with aws: are reserved: %s", key)
		}
		merged[key] = v
	}
	if len(merged) > maxTags {
		return refuse("A resource can have at most %d tags", maxTags)
	}
	*tags = merged
	return nil
}
