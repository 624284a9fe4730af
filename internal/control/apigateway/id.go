package apigateway

import (
	"fmt"
	"io"
)

// The lengths of ids, as AWS makes them.
const (
	apiIDLength   = 10
	childIDLength = 6
)

const idAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID makes a random id of lower-case letters and digits.
func (s *Service) newID(length int) (string, error) { return s.randomText(idAlphabet, length) }

// randomText makes a random text of an alphabet's characters.
func (s *Service) randomText(alphabet string, length int) (string, error) {
	text := make([]byte, 0, length)
	buf := make([]byte, length)
	for len(text) < length {
		if _, err := io.ReadFull(s.rand, buf); err != nil {
			return "", fmt.Errorf("apigateway: randomness for an id: %w", err)
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

// freeID makes an id that taken knows nothing of.
func (s *Service) freeID(length int, taken func(id string) (bool, error)) (string, error) {
	for {
		id, err := s.newID(length)
		if err != nil {
			return "", err
		}
		if used, err := taken(id); err != nil || !used {
			return id, err
		}
	}
}
