package cognitoidp

import (
	"errors"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// Refreshed is the grant that a refresh token of a client stands for. That the
// client has shown its secret is for the caller to see to.
func (s *Service) Refreshed(c *awswire.Call, p *Pool, cl *Client, text string) (Grant, error) {
	var r refreshToken
	ticket, err := s.tickets.Open(forRefresh, text, c.Time, &r)
	switch {
	case errors.Is(err, userpool.ErrTicketExpired):
		return Grant{}, notAuthorized("Refresh Token has expired")
	case err != nil || r.Client != cl.ID || r.Pool != p.ID:
		return Grant{}, notAuthorized("Invalid Refresh Token")
	}
	u, err := s.readUser(c, p, r.Username)
	if code, _ := awsCode(err); code == "UserNotFoundException" || err == nil && u.Sub != r.Sub {
		return Grant{}, notAuthorized("Invalid Refresh Token")
	}
	if err != nil {
		return Grant{}, err
	}
	if u.Disabled {
		return Grant{}, notAuthorized("User is disabled.")
	}
	ended, err := s.ended(c, u, r.Origin, r.ID, r.Time)
	if err != nil {
		return Grant{}, err
	}
	if ended {
		return Grant{}, notAuthorized("Refresh Token has been revoked")
	}
	return Grant{
		Pool: p, Client: cl, Username: u.Username, Origin: r.Origin, Time: r.Time, Scopes: r.Scopes, Hosted: r.Hosted,
		Source: "TokenGeneration_RefreshTokens", user: u, refresh: &r, until: ticket.Expires,
	}, nil
}

// ended tells whether a sign-in is over, or one of its tokens.
func (s *Service) ended(c *awswire.Call, u *user, origin, tokenID string, at time.Time) (bool, error) {
	if t, ok := userpool.OriginTime(origin); ok {
		at = t
	}
	if !u.SignedOut.IsZero() && !at.After(u.SignedOut.Truncate(time.Millisecond)) {
		return true, nil
	}
	over := false
	err := s.store.View(c, func(tx *store.Tx) error {
		for _, id := range [...]string{origin, tokenID} {
			if id == "" {
				continue
			}
			d, err := revocations.Get(tx, u.scope, *u.pool.Id, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			over = over || !c.Time.Before(d.From)
		}
		return nil
	})
	return over, err
}

// revoke ends a sign-in or one of its tokens from a time on.
func (s *Service) revoke(c *awswire.Call, p *Pool, id string, from, expires time.Time) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		there, err := pools.Exists(tx, p.Scope, p.ID)
		if err != nil || !there {
			return err
		}
		// Those that nothing needs any more go; the oldest come first.
		old, err := revocations.List(tx, p.Scope, store.Page{Limit: 64}, p.ID)
		if err != nil {
			return err
		}
		for _, e := range old {
			if !c.Time.Before(e.Doc.Expires) {
				if err := revocations.Delete(tx, p.Scope, e.ID...); err != nil {
					return err
				}
			}
		}
		if d, err := revocations.Get(tx, p.Scope, p.ID, id); err == nil && d.From.Before(from) {
			return nil // it ends earlier
		}
		return revocations.Put(tx, p.Scope, &revocationDoc{From: from.UTC(), Expires: expires.UTC().Add(maxLifetime)}, p.ID, id)
	})
}

// Refresh makes new tokens of a refresh token. Where the client has its refresh
// tokens rotate, there is a new one among them and the old one ends.
func (s *Service) Refresh(c *awswire.Call, g Grant) (*Tokens, error) {
	out, err := s.Mint(c, g)
	if err != nil {
		return nil, err
	}
	if rotates(g.Client) {
		grace := time.Duration(value(g.Client.Settings.RefreshTokenRotation.RetryGracePeriodSeconds)) * time.Second
		if out.Refresh, err = s.newRefresh(&g, g.user); err != nil {
			return nil, err
		}
		if err := s.revoke(c, g.Pool, g.refresh.ID, c.Time.Add(grace), g.until); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rotates tells whether a client's refresh tokens are good for one use.
func rotates(cl *Client) bool {
	r := cl.Settings.RefreshTokenRotation
	return r != nil && value(r.Feature) == api.FeatureTypeEnabled
}

// GetTokensFromRefreshToken makes new tokens of a refresh token.
func (s *Service) GetTokensFromRefreshToken(c *awswire.Call, in *api.GetTokensFromRefreshTokenRequest) (*api.GetTokensFromRefreshTokenResponse, error) {
	cl, p, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	if err := checkSecret(cl, in.ClientSecret); err != nil {
		return nil, err
	}
	g, err := s.Refreshed(c, p, cl, *in.RefreshToken)
	if err != nil {
		return nil, err
	}
	g.Metadata = in.ClientMetadata
	out, err := s.Refresh(c, g)
	if err != nil {
		return nil, err
	}
	return &api.GetTokensFromRefreshTokenResponse{AuthenticationResult: out.result()}, nil
}

// RevokeToken ends the sign-in that a refresh token comes of: that token and the
// access tokens made with it.
func (s *Service) RevokeToken(c *awswire.Call, in *api.RevokeTokenRequest) (*api.RevokeTokenResponse, error) {
	cl, p, err := s.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	if err := checkSecret(cl, in.ClientSecret); err != nil {
		return nil, api.NewUnauthorizedException("Invalid client secret")
	}
	if in.RevokeAssociatedSessions != nil {
		return nil, invalid("RevokeAssociatedSessions isn't supported by this gateway.")
	}
	if err := s.RevokeRefreshToken(c, p, cl, *in.Token); err != nil {
		return nil, err
	}
	return &api.RevokeTokenResponse{}, nil
}

// RevokeRefreshToken is RevokeToken for a client that has shown its secret. A
// token that isn't one, or isn't good any more, is as good as revoked.
func (s *Service) RevokeRefreshToken(c *awswire.Call, p *Pool, cl *Client, text string) error {
	if !value(cl.Settings.EnableTokenRevocation) {
		return api.NewUnsupportedOperationException("Token revocation is not enabled for the client " + cl.ID) // UNVERIFIED wording
	}
	if _, ok := userpool.Issuer(text); ok {
		return api.NewUnsupportedTokenTypeException("Unsupported token type")
	}
	var r refreshToken
	ticket, err := s.tickets.Open(forRefresh, text, c.Time, &r)
	if err != nil {
		return nil
	}
	if r.Client != cl.ID || r.Pool != p.ID {
		return api.NewUnauthorizedException("Invalid token") // UNVERIFIED wording
	}
	return s.revoke(c, p, r.Origin, c.Time, ticket.Expires)
}
