package apigateway

import (
	"errors"
	"regexp"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// The throttle of an account and region at AWS, in requests per second and
// requests.
const (
	defaultAccountRate  = 10000
	defaultAccountBurst = 5000
)

// usagePlansFeature is what every account has: API keys work through usage
// plans.
const usagePlansFeature = "UsagePlans"

var roleARN = regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)

// GetAccount returns the settings of the account and region.
func (s *Service) GetAccount(c *awswire.Call, _ *apigateway.GetAccountRequest) (*apigateway.Account, error) {
	var account *definition.Account
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		account, err = getAccount(tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.accountView(account), nil
}

var accountRules = patchRules[definition.Account]{refuse: refuseListing, rules: []patchRule[definition.Account]{
	{path: "/cloudwatchRoleArn", ops: opEdit},
	{path: "/features", ops: opAdd, set: func(_ *definition.Account, o patchOp) error {
		if value(o.Value) != usagePlansFeature {
			// UNVERIFIED: the words.
			return badRequest("Invalid feature specified: %s", value(o.Value))
		}
		return nil // every account has it
	}},
}}

// UpdateAccount patches the settings of the account and region.
func (s *Service) UpdateAccount(c *awswire.Call, in *apigateway.UpdateAccountRequest) (*apigateway.Account, error) {
	var account *definition.Account
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		if account, err = getAccount(tx, c); err != nil {
			return err
		}
		if err := accountRules.apply(account, in.PatchOperations); err != nil {
			return err
		}
		if role := account.CloudwatchRoleArn; role != nil && !roleARN.MatchString(*role) {
			// UNVERIFIED: the words.
			return badRequest("Invalid ARN specified in the request. ARN: %s", *role)
		}
		return definition.Accounts.Put(tx, scope(c), account, definition.AccountKey)
	})
	if err != nil {
		return nil, err
	}
	return s.accountView(account), nil
}

// getAccount reads what was set; nothing was at first.
func getAccount(tx *store.Tx, c *awswire.Call) (*definition.Account, error) {
	account, err := definition.Accounts.Get(tx, scope(c), definition.AccountKey)
	if errors.Is(err, store.ErrNotFound) {
		return &definition.Account{}, nil
	}
	return account, err
}

// accountView adds what every account has.
func (s *Service) accountView(account *definition.Account) *apigateway.Account {
	view := account.Account
	view.ThrottleSettings = &apigateway.ThrottleSettings{RateLimit: &s.accountRate, BurstLimit: &s.accountBurst}
	view.Features = []string{usagePlansFeature}
	view.ApiKeyVersion = new("4")
	return &view
}
