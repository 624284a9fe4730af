package tree

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a document, far from what an API needs: whatever is sent, reading
// it takes seconds at most.
const (
	// MaxBytes is the length of the longest document. AWS names one for REST
	// APIs only, 6 MB; an export of 10,000 routes is longer.
	MaxBytes = 16 << 20
	// maxValues is how many values a document may have; what aliases stand for
	// counts each time.
	maxValues = 2_000_000
	// maxDepth is how deep values may nest.
	maxDepth = 256
)

var (
	errTooLarge = fmt.Errorf("the document is longer than %d bytes", MaxBytes)
	errTooMany  = fmt.Errorf("the document has more than %d values", maxValues)
	errTooDeep  = fmt.Errorf("the document nests more than %d levels deep", maxDepth)
	errEmpty    = errors.New("the document is empty")
	errUTF8     = errors.New("the document is not valid UTF-8")
)

// Parse reads JSON or YAML, in which variables stand for other text. As AWS
// does, it takes what begins with a brace for JSON and everything else for YAML.
func Parse(document string, variables *strings.Replacer) (*Node, error) {
	if len(document) > MaxBytes {
		return nil, errTooLarge
	}
	document = variables.Replace(strings.TrimPrefix(document, "\ufeff"))
	start := strings.TrimLeft(document, " \t\r\n")
	switch {
	case start == "":
		return nil, errEmpty
	case !utf8.ValidString(document):
		return nil, errUTF8
	case start[0] == '{':
		return parseJSON(document)
	}
	return parseYAML(document)
}
