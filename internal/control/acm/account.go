package acm

import (
	"errors"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// accounts holds what an account set; there is one in each scope.
var accounts = store.Kind[accountDoc]{Name: "acm/account"}

type accountDoc struct {
	api.GetAccountConfigurationResponse
}

// daysBeforeExpiry is how long before the end AWS tells of it by default.
const daysBeforeExpiry = 45

// GetAccountConfiguration shows the settings of the account.
func (s *Service) GetAccountConfiguration(c *awswire.Call) (*api.GetAccountConfigurationResponse, error) {
	out := &api.GetAccountConfigurationResponse{ExpiryEvents: &api.ExpiryEventsConfiguration{DaysBeforeExpiry: new(int32(daysBeforeExpiry))}}
	err := s.store.View(c, func(tx *store.Tx) error {
		doc, err := accounts.Get(tx, scopeOf(c), "configuration")
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err == nil {
			out = &doc.GetAccountConfigurationResponse
		}
		return err
	})
	return out, err
}

// PutAccountConfiguration changes the settings of the account.
func (s *Service) PutAccountConfiguration(c *awswire.Call, in *api.PutAccountConfigurationRequest) error {
	if in.ExpiryEvents == nil || in.ExpiryEvents.DaysBeforeExpiry == nil {
		return nil
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		return accounts.Put(tx, scopeOf(c), &accountDoc{api.GetAccountConfigurationResponse{ExpiryEvents: in.ExpiryEvents}}, "configuration")
	})
}
