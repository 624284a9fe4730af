package apigateway

import (
	"errors"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/store"
)

// The lengths of ids, as AWS makes them.
const (
	apiIDLength   = apiid.APILength
	childIDLength = 6
)

// newID makes a random id.
func (s *Service) newID(length int) (string, error) { return apiid.New(s.rand, length) }

// freeID makes an id that taken knows nothing of.
func (s *Service) freeID(length int, taken func(id string) (bool, error)) (string, error) {
	return apiid.Free(s.rand, length, taken)
}

// claimID takes the id that was asked for, or a random one.
func (s *Service) claimID(tx *store.Tx, c *awswire.Call, asked string) (string, error) {
	id, err := apiid.Claim(tx, s.rand, scope(c), asked)
	var malformed *apiid.MalformedError
	var taken *apiid.TakenError
	switch {
	case errors.As(err, &malformed):
		return "", badRequest("%s", malformed)
	case errors.As(err, &taken):
		return "", conflict("%s", taken)
	}
	return id, err
}
