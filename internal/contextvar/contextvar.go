package contextvar

import (
	"time"

	"gatehouse/internal/plan"
)

// A Moment is how far a request has come.
type Moment uint8

const (
	// AtRequest is before the integration is called: the route is known.
	AtRequest Moment = iota
	// AtResponse is after the integration has answered.
	AtResponse
	// AtEnd is when the response is on its way to the client.
	AtEnd
)

// An Escape appends text from outside in the form its reader wants.
type Escape func(dst []byte, text string) []byte

// A Variable is what a name of $context stands for. The zero Variable never
// has a value.
type Variable struct {
	// from is the first moment with a value.
	from  Moment
	value value
}

// A value appends what a variable says and tells whether that is anything.
type value func(dst []byte, x *plan.Exchange, latency time.Duration, escape Escape) ([]byte, bool)

// Has tells whether the variable can have a value at a moment.
func (v Variable) Has(at Moment) bool { return v.value != nil && v.from <= at }

// Append appends what the variable says of x, which has taken latency so far,
// and tells whether that is anything. Text that came from outside passes
// escape; nil leaves it as it is. Append may use x.Scratch if escape isn't nil.
func (v Variable) Append(dst []byte, x *plan.Exchange, latency time.Duration, escape Escape) ([]byte, bool) {
	if v.value == nil {
		return dst, false
	}
	return v.value(dst, x, latency, escape)
}

// NameLen returns how long the name of a variable is that text begins with: its
// characters are letters, digits, "." and "_". A dot at the end isn't part of it.
func NameLen(text string) int {
	end := 0
	for end < len(text) {
		c := text[end]
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		end++
	}
	for end > 0 && text[end-1] == '.' {
		end--
	}
	return end
}
