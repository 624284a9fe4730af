package apiid

import (
	"fmt"
	"io"
)

// APILength is the length of an API's id.
const APILength = 10

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// New makes a random id of lower-case letters and digits.
func New(random io.Reader, length int) (string, error) { return Text(random, alphabet, length) }

// Text makes a random text of an alphabet's characters, of which there are 256
// at most.
func Text(random io.Reader, alphabet string, length int) (string, error) {
	text := make([]byte, 0, length)
	buf := make([]byte, length)
	for len(text) < length {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("apiid: randomness: %w", err)
		}
		for _, b := range buf {
			// The highest values would make some characters likelier than others.
			if int(b) < 256-256%len(alphabet) && len(text) < length {
				text = append(text, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(text), nil
}

// Free makes an id that taken knows nothing of.
func Free(random io.Reader, length int, taken func(id string) (bool, error)) (string, error) {
	for {
		id, err := New(random, length)
		if err != nil {
			return "", err
		}
		if used, err := taken(id); err != nil || !used {
			return id, err
		}
	}
}
