package cognitoidp

import (
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// A Visit is a user who signed in on a pool's pages. It outlives the pages'
// sign-in at one app client, so that others need no password.
type Visit struct {
	Username, Sub string
	// Origin is the visit's own id and Time when it began.
	Origin string
	Time   time.Time
}

// VisitOf is the visit that begins with the grant of SignIn or Answer.
func VisitOf(g *Grant) Visit {
	return Visit{Username: g.user.Username, Sub: g.user.Sub, Origin: g.Origin, Time: g.Time}
}

// HostedGrant is what a visit gives a client: the scopes, and no more than them.
// It is refused once the user is gone, disabled or signed out of everything, or
// once the visit has ended.
func (s *Service) HostedGrant(c *awswire.Call, p *Pool, cl *Client, v Visit, scopes []string, nonce string) (Grant, error) {
	u, err := s.readUser(c, p, v.Sub)
	switch {
	case err != nil:
		return Grant{}, err
	case u.Sub != v.Sub:
		return Grant{}, noUser()
	case u.Disabled:
		return Grant{}, notAuthorized("User is disabled.")
	}
	ended, err := s.ended(c, u, v.Origin, "", v.Time)
	if err != nil {
		return Grant{}, err
	}
	if ended {
		return Grant{}, notAuthorized("The user has signed out.") // nobody sees this
	}
	return Grant{
		Pool: p, Client: cl, Username: u.Username, Origin: userpool.NewOrigin(c.Time), Time: v.Time, Scopes: scopes, Hosted: true,
		Nonce: nonce, Source: "TokenGeneration_HostedAuth", user: u,
	}, nil
}

// EndVisit ends a visit; a browser that still has its cookie signs in anew. The
// tokens that came of it stay good, as on AWS. life is how long visits last.
func (s *Service) EndVisit(c *awswire.Call, p *Pool, v Visit, life time.Duration) error {
	return s.revoke(c, p, v.Origin, c.Time, v.Time.Add(life))
}

// LiveScopes are the scopes that a client may ask for and that there are:
// resource servers may have gone since the client was made.
func (s *Service) LiveScopes(c *awswire.Call, p *Pool, cl *Client) ([]string, error) {
	var live []string
	err := s.store.View(c, func(tx *store.Tx) error {
		for _, name := range cl.Settings.AllowedOAuthScopes {
			if isOwnScope(name) {
				live = append(live, name)
				continue
			}
			there, err := scopeExists(tx, p.Scope, p.ID, name)
			if err != nil {
				return err
			}
			if there {
				live = append(live, name)
			}
		}
		return nil
	})
	return live, err
}

// UserInfo is what a scope-bearing access token shows of its user: the attributes
// of its scopes that the client may read.
func (b *Bearer) UserInfo() []api.AttributeType {
	var shown []api.AttributeType
	for _, a := range b.Attributes() {
		if scopeAttributes(b.Scopes, *a.Name) {
			shown = append(shown, a)
		}
	}
	return shown
}
