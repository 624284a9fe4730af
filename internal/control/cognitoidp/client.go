package cognitoidp

import (
	"errors"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/store"
)

const (
	clientIDLength     = 26
	clientSecretLength = 52
)

func noClient(id *string) error {
	return notFound("User pool client " + value(id) + " does not exist.")
}

// client reads an app client.
func client(tx *store.Tx, c *awswire.Call, poolID, id *string) (*clientDoc, error) {
	d, err := clients.Get(tx, scopeOf(c), value(poolID), value(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noClient(id)
	}
	return d, err
}

// CreateUserPoolClient makes an app client.
func (s *Service) CreateUserPoolClient(c *awswire.Call, in *api.CreateUserPoolClientRequest) (*api.CreateUserPoolClientResponse, error) {
	id, err := apiid.New(s.random, clientIDLength)
	if err != nil {
		return nil, err
	}
	d := &clientDoc{Client: api.UserPoolClientType{
		UserPoolId: in.UserPoolId, ClientId: &id, ClientName: in.ClientName, CreationDate: now(c), LastModifiedDate: now(c),
		RefreshTokenValidity: in.RefreshTokenValidity, AccessTokenValidity: in.AccessTokenValidity, IdTokenValidity: in.IdTokenValidity,
		TokenValidityUnits: in.TokenValidityUnits, ReadAttributes: in.ReadAttributes, WriteAttributes: in.WriteAttributes,
		ExplicitAuthFlows: in.ExplicitAuthFlows, SupportedIdentityProviders: in.SupportedIdentityProviders,
		CallbackURLs: in.CallbackURLs, LogoutURLs: in.LogoutURLs, DefaultRedirectURI: in.DefaultRedirectURI,
		AllowedOAuthFlows: in.AllowedOAuthFlows, AllowedOAuthScopes: in.AllowedOAuthScopes,
		AllowedOAuthFlowsUserPoolClient: in.AllowedOAuthFlowsUserPoolClient, AnalyticsConfiguration: in.AnalyticsConfiguration,
		PreventUserExistenceErrors: in.PreventUserExistenceErrors, EnableTokenRevocation: in.EnableTokenRevocation,
		EnablePropagateAdditionalUserContextData: in.EnablePropagateAdditionalUserContextData,
		AuthSessionValidity:                      in.AuthSessionValidity, RefreshTokenRotation: in.RefreshTokenRotation,
	}}
	switch {
	case in.ClientSecret != nil && value(in.GenerateSecret):
		return nil, invalid("ClientSecret can't be given when GenerateSecret is true.") // UNVERIFIED wording
	case in.ClientSecret != nil:
		d.Client.ClientSecret = in.ClientSecret
	case value(in.GenerateSecret):
		secret, err := apiid.New(s.random, clientSecretLength)
		if err != nil {
			return nil, err
		}
		d.Client.ClientSecret = &secret
	}
	err = s.inPool(c, in.UserPoolId, func(tx *store.Tx, p *poolDoc) error {
		if err := completeClient(tx, scopeOf(c), &p.Pool, &d.Client); err != nil {
			return err
		}
		return clients.Put(tx, scopeOf(c), d, *in.UserPoolId, id)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateUserPoolClientResponse{UserPoolClient: &d.Client}, nil
}

// DescribeUserPoolClient tells about an app client, its secret included.
func (s *Service) DescribeUserPoolClient(c *awswire.Call, in *api.DescribeUserPoolClientRequest) (*api.DescribeUserPoolClientResponse, error) {
	out := &api.DescribeUserPoolClientResponse{}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		d, err := client(tx, c, in.UserPoolId, in.ClientId)
		if err != nil {
			return err
		}
		out.UserPoolClient = &d.Client
		return nil
	})
	return out, err
}

// UpdateUserPoolClient gives an app client new settings. What the call leaves out
// goes back to its default, as on AWS; the name and the secret stay.
func (s *Service) UpdateUserPoolClient(c *awswire.Call, in *api.UpdateUserPoolClientRequest) (*api.UpdateUserPoolClientResponse, error) {
	out := &api.UpdateUserPoolClientResponse{}
	err := s.inPool(c, in.UserPoolId, func(tx *store.Tx, p *poolDoc) error {
		d, err := client(tx, c, in.UserPoolId, in.ClientId)
		if err != nil {
			return err
		}
		old := d.Client
		d.Client = api.UserPoolClientType{
			UserPoolId: old.UserPoolId, ClientId: old.ClientId, ClientSecret: old.ClientSecret, CreationDate: old.CreationDate, LastModifiedDate: now(c),
			ClientName:           or(in.ClientName, *old.ClientName),
			RefreshTokenValidity: in.RefreshTokenValidity, AccessTokenValidity: in.AccessTokenValidity, IdTokenValidity: in.IdTokenValidity,
			TokenValidityUnits: in.TokenValidityUnits, ReadAttributes: in.ReadAttributes, WriteAttributes: in.WriteAttributes,
			ExplicitAuthFlows: in.ExplicitAuthFlows, SupportedIdentityProviders: in.SupportedIdentityProviders,
			CallbackURLs: in.CallbackURLs, LogoutURLs: in.LogoutURLs, DefaultRedirectURI: in.DefaultRedirectURI,
			AllowedOAuthFlows: in.AllowedOAuthFlows, AllowedOAuthScopes: in.AllowedOAuthScopes,
			AllowedOAuthFlowsUserPoolClient: in.AllowedOAuthFlowsUserPoolClient, AnalyticsConfiguration: in.AnalyticsConfiguration,
			PreventUserExistenceErrors: in.PreventUserExistenceErrors, EnableTokenRevocation: in.EnableTokenRevocation,
			EnablePropagateAdditionalUserContextData: in.EnablePropagateAdditionalUserContextData,
			AuthSessionValidity:                      in.AuthSessionValidity, RefreshTokenRotation: in.RefreshTokenRotation,
		}
		if err := completeClient(tx, scopeOf(c), &p.Pool, &d.Client); err != nil {
			return err
		}
		out.UserPoolClient = &d.Client
		return clients.Put(tx, scopeOf(c), d, *in.UserPoolId, *in.ClientId)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteUserPoolClient deletes an app client.
func (s *Service) DeleteUserPoolClient(c *awswire.Call, in *api.DeleteUserPoolClientRequest) error {
	return s.inPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		if _, err := client(tx, c, in.UserPoolId, in.ClientId); err != nil {
			return err
		}
		return clients.Delete(tx, scopeOf(c), *in.UserPoolId, *in.ClientId)
	})
}

// ListUserPoolClients lists a pool's app clients by id.
func (s *Service) ListUserPoolClients(c *awswire.Call, in *api.ListUserPoolClientsRequest) (*api.ListUserPoolClientsResponse, error) {
	out := &api.ListUserPoolClientsResponse{UserPoolClients: []api.UserPoolClientDescription{}}
	err := s.viewPool(c, in.UserPoolId, func(tx *store.Tx, _ *poolDoc) error {
		page, next, err := clients.ListToken(tx, scopeOf(c), value(in.NextToken), pageSize(in.MaxResults, 60), *in.UserPoolId)
		if err != nil {
			return badToken(err)
		}
		for _, e := range page {
			d := e.Doc.Client
			out.UserPoolClients = append(out.UserPoolClients, api.UserPoolClientDescription{ClientId: d.ClientId, UserPoolId: d.UserPoolId, ClientName: d.ClientName})
		}
		out.NextToken = some(next)
		return nil
	})
	return out, err
}

// completeClient checks an app client's settings and fills in what wasn't given.
func completeClient(tx *store.Tx, scope store.Scope, p *api.UserPoolType, d *api.UserPoolClientType) error {
	d.RefreshTokenValidity = or(d.RefreshTokenValidity, 30)
	if *d.RefreshTokenValidity == 0 {
		*d.RefreshTokenValidity = 30
	}
	d.EnableTokenRevocation = or(d.EnableTokenRevocation, true)
	d.EnablePropagateAdditionalUserContextData = or(d.EnablePropagateAdditionalUserContextData, false)
	d.AllowedOAuthFlowsUserPoolClient = or(d.AllowedOAuthFlowsUserPoolClient, false)
	d.AuthSessionValidity = or(d.AuthSessionValidity, 3)
	if u := d.TokenValidityUnits; u != nil {
		d.TokenValidityUnits = &api.TokenValidityUnitsType{
			AccessToken: or(u.AccessToken, api.TimeUnitsTypeHours), IdToken: or(u.IdToken, api.TimeUnitsTypeHours),
			RefreshToken: or(u.RefreshToken, api.TimeUnitsTypeDays),
		}
	}
	for _, name := range slices.Concat(d.ReadAttributes, d.WriteAttributes) {
		if attributeOf(p.SchemaAttributes, name) == nil {
			return invalid("Invalid attributes specified while creating a client: " + name) // UNVERIFIED wording
		}
	}
	for _, provider := range d.SupportedIdentityProviders {
		if provider != "COGNITO" {
			return invalid("The provider " + provider + " does not exist for User Pool " + *p.Id + ".")
		}
	}
	if value(d.EnablePropagateAdditionalUserContextData) && d.ClientSecret == nil {
		return invalid("EnablePropagateAdditionalUserContextData requires a client secret.") // UNVERIFIED wording
	}
	if err := checkFlows(d.ExplicitAuthFlows); err != nil {
		return err
	}
	if err := checkValidity(d); err != nil {
		return err
	}
	return checkOAuth(tx, scope, d)
}

// checkFlows refuses old names of flows beside new ones.
func checkFlows(flows []string) error {
	old := slices.ContainsFunc(flows, func(f string) bool { return !strings.HasPrefix(f, "ALLOW_") })
	if old && slices.ContainsFunc(flows, func(f string) bool { return strings.HasPrefix(f, "ALLOW_") }) {
		return invalid("Invalid ExplicitAuthFlows: ADMIN_NO_SRP_AUTH, CUSTOM_AUTH_FLOW_ONLY and USER_PASSWORD_AUTH can't be used with values that begin with ALLOW_.") // UNVERIFIED wording
	}
	return nil
}

// Lifetimes of tokens.
const (
	defaultLifetime = time.Hour
	minLifetime     = 5 * time.Minute
	maxLifetime     = 24 * time.Hour
	minRefresh      = time.Hour
	maxRefresh      = 3650 * 24 * time.Hour
)

func checkValidity(d *api.UserPoolClientType) error {
	access, id, refresh := lifetimes(d)
	if access < minLifetime || access > maxLifetime || id < minLifetime || id > maxLifetime || refresh < minRefresh || refresh > maxRefresh {
		return invalid("Invalid range for token validity.")
	}
	if refresh < access || refresh < id {
		return invalid("Refresh token validity must be longer than that of access and ID tokens.") // UNVERIFIED wording
	}
	return nil
}

// lifetimes are how long a client's tokens last.
func lifetimes(d *api.UserPoolClientType) (access, id, refresh time.Duration) {
	units := value(d.TokenValidityUnits)
	of := func(n *int32, unit *string, otherwise string, absent time.Duration) time.Duration {
		if value(n) == 0 {
			return absent
		}
		return time.Duration(*n) * map[string]time.Duration{
			api.TimeUnitsTypeSeconds: time.Second, api.TimeUnitsTypeMinutes: time.Minute,
			api.TimeUnitsTypeHours: time.Hour, api.TimeUnitsTypeDays: 24 * time.Hour,
		}[*or(unit, otherwise)]
	}
	return of(d.AccessTokenValidity, units.AccessToken, api.TimeUnitsTypeHours, defaultLifetime),
		of(d.IdTokenValidity, units.IdToken, api.TimeUnitsTypeHours, defaultLifetime),
		of(d.RefreshTokenValidity, units.RefreshToken, api.TimeUnitsTypeDays, 30*24*time.Hour)
}

// ownScopes are those of Cognito itself.
var ownScopes = []string{"phone", "email", "openid", "profile", userScope}

func isOwnScope(name string) bool { return slices.Contains(ownScopes, name) }

// userScope lets a token change its own user.
const userScope = "aws.cognito.signin.user.admin"

// checkOAuth is about what a client may do on a pool's pages.
func checkOAuth(tx *store.Tx, scope store.Scope, d *api.UserPoolClientType) error {
	refuse := func(message string) error { return api.NewInvalidOAuthFlowException(message) }
	if !value(d.AllowedOAuthFlowsUserPoolClient) {
		return nil
	}
	if len(d.AllowedOAuthFlows) == 0 || len(d.AllowedOAuthScopes) == 0 {
		return refuse("AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.")
	}
	machine := slices.Contains(d.AllowedOAuthFlows, api.OAuthFlowTypeClientCredentials)
	if machine && len(d.AllowedOAuthFlows) > 1 {
		return refuse("client_credentials flow can not be selected along with code flow or implicit flow.")
	}
	if machine && d.ClientSecret == nil {
		return refuse("client_credentials flow can not be selected if client does not have a client secret.")
	}
	if !machine && len(d.CallbackURLs) == 0 {
		return refuse("CallbackURLs can't be empty for the code flow and the implicit flow.") // UNVERIFIED wording
	}
	if uri := d.DefaultRedirectURI; uri != nil && !slices.Contains(d.CallbackURLs, *uri) {
		return invalid("DefaultRedirectURI must be one of CallbackURLs.") // UNVERIFIED wording
	}
	for _, name := range d.AllowedOAuthScopes {
		if isOwnScope(name) {
			if machine {
				return refuse(name + " is not supported with client_credentials flow.")
			}
			continue
		}
		there, err := scopeExists(tx, scope, *d.UserPoolId, name)
		if err != nil {
			return err
		}
		if !there {
			return api.NewScopeDoesNotExistException("Scope " + name + " does not exist.") // UNVERIFIED wording
		}
	}
	return nil
}
