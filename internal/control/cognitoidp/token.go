package cognitoidp

import (
	"errors"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// A Grant is what a user, or a client by itself, may get tokens for.
type Grant struct {
	Pool   *Pool
	Client *Client
	// Username names the user, as the pool knows it.
	Username string
	// Origin is the id of the sign-in and Time when it was.
	Origin string
	Time   time.Time
	// Scopes are those of the access token. Where they come of a pool's pages,
	// Hosted is set: they say then whether there is an ID token and what it shows.
	Scopes []string
	Hosted bool
	// Nonce goes into the ID token.
	Nonce string
	// Source is why there are tokens, as functions are told, as in
	// "TokenGeneration_Authentication".
	Source string
	// Metadata is the client's for functions.
	Metadata map[string]string

	// user is the user as it was read for this grant, if it was.
	user *user
	// refresh is the refresh token that the grant comes of.
	refresh *refreshToken
	// until is when the refresh token ends that the grant comes of.
	until time.Time
}

// Tokens are what a sign-in ends with.
type Tokens struct {
	Access, ID, Refresh string // ID and Refresh may be empty
	// Lifetime is that of the access token.
	Lifetime time.Duration
}

func (t *Tokens) result() *api.AuthenticationResultType {
	return &api.AuthenticationResultType{
		AccessToken: &t.Access, IdToken: some(t.ID), RefreshToken: some(t.Refresh),
		ExpiresIn: new(int32(t.Lifetime / time.Second)), TokenType: new("Bearer"),
	}
}

// A refreshToken is the content of one.
type refreshToken struct {
	// ID is the token's own, Origin the sign-in's.
	ID, Origin    string
	Pool, Client  string
	Username, Sub string
	Time          time.Time
	Scopes        []string `json:",omitempty"`
	Hosted        bool     `json:",omitempty"`
}

// forRefresh is the purpose of the tickets that are refresh tokens.
const forRefresh = "cognito-refresh"

// newGrant is a user's grant of everything that signing in by the API gives. u is
// the user that signed in.
func (s *Service) newGrant(a *attempt, u *user, source string) Grant {
	return Grant{
		Pool: a.pool, Client: a.client, Username: u.Username, Origin: userpool.NewOrigin(a.c.Time), Time: a.c.Time.UTC(),
		Scopes: []string{userScope}, Source: source, Metadata: a.metadata, user: u,
	}
}

// Mint makes the tokens of a grant: an access token, for a user an ID token where
// the scopes ask for it, and a refresh token unless the grant comes of one.
func (s *Service) Mint(c *awswire.Call, g Grant) (*Tokens, error) {
	u := g.user
	if u == nil {
		var err error
		if u, err = s.readUser(c, g.Pool, g.Username); err != nil {
			return nil, err
		}
	}
	configuration, err := s.groupsOf(c, u)
	if err != nil {
		return nil, err
	}
	change, err := s.preToken(c, &g, u, configuration)
	if err != nil {
		return nil, err
	}
	keys, err := s.signers(c, g.Pool)
	if err != nil {
		return nil, err
	}
	configuration = change.groups(configuration)
	event, err := userpool.NewID(s.random)
	if err != nil {
		return nil, err
	}
	accessLife, idLife, refreshLife := lifetimes(g.Client.Settings)
	out := &Tokens{Lifetime: accessLife}

	access, err := s.common(c, &g, u, event, "access", accessLife)
	if err != nil {
		return nil, err
	}
	access["client_id"], access["username"], access["scope"] = g.Client.ID, u.Username, strings.Join(g.Scopes, " ")
	if g.Hosted {
		access["version"] = 2
	}
	configuration.add(access, false)
	change.access(access, g.Scopes)
	if out.Access, err = keys[accessKey].Sign(access); err != nil {
		return nil, err
	}

	if !g.Hosted || slices.Contains(g.Scopes, "openid") {
		id, err := s.idClaims(c, &g, u, event, idLife)
		if err != nil {
			return nil, err
		}
		configuration.add(id, true)
		change.id(id)
		if out.ID, err = keys[idKey].Sign(id); err != nil {
			return nil, err
		}
	}

	if g.refresh == nil {
		g.until = c.Time.Add(refreshLife)
		out.Refresh, err = s.newRefresh(&g, u)
	}
	return out, err
}

// MintForClient makes the access token that a client gets for itself.
func (s *Service) MintForClient(c *awswire.Call, p *Pool, cl *Client, scopes []string) (*Tokens, error) {
	keys, err := s.signers(c, p)
	if err != nil {
		return nil, err
	}
	life, _, _ := lifetimes(cl.Settings)
	id, err := userpool.NewID(s.random)
	if err != nil {
		return nil, err
	}
	now := c.Time.Unix()
	token, err := keys[accessKey].Sign(claims{
		"sub": cl.ID, "client_id": cl.ID, "token_use": "access", "scope": strings.Join(scopes, " "), "auth_time": now, "iat": now,
		"iss": p.Issuer, "exp": c.Time.Add(life).Unix(), "version": 2, "jti": id,
	})
	if err != nil {
		return nil, err
	}
	return &Tokens{Access: token, Lifetime: life}, nil
}

// common are the claims of both tokens of a user.
func (s *Service) common(c *awswire.Call, g *Grant, u *user, event, use string, life time.Duration) (claims, error) {
	id, err := userpool.NewID(s.random)
	if err != nil {
		return nil, err
	}
	out := claims{
		"sub": u.Sub, "iss": g.Pool.Issuer, "token_use": use, "event_id": event, "jti": id,
		"auth_time": g.Time.Unix(), "iat": c.Time.Unix(), "exp": c.Time.Add(life).Unix(),
	}
	if value(g.Client.Settings.EnableTokenRevocation) {
		out["origin_jti"] = g.Origin
	}
	return out, nil
}

func (s *Service) idClaims(c *awswire.Call, g *Grant, u *user, event string, life time.Duration) (claims, error) {
	id, err := s.common(c, g, u, event, "id", life)
	if err != nil {
		return nil, err
	}
	shown := readable(g.Client.Settings, u.Attributes)
	if g.Hosted {
		shown = slices.DeleteFunc(shown, func(a api.AttributeType) bool { return !scopeAttributes(g.Scopes, *a.Name) })
	}
	addAttributes(id, shown)
	id["aud"], id["cognito:username"] = g.Client.ID, u.Username
	if g.Nonce != "" {
		id["nonce"] = g.Nonce
	}
	return id, nil
}

// groupsOf reads a user's groups.
func (s *Service) groupsOf(c *awswire.Call, u *user) (groupConfiguration, error) {
	var all []api.GroupType
	if len(u.Groups) == 0 {
		return groupsOf(nil), nil
	}
	err := s.store.View(c, func(tx *store.Tx) error {
		for _, name := range u.Groups {
			d, err := groups.Get(tx, u.scope, *u.pool.Id, name)
			if errors.Is(err, store.ErrNotFound) {
				continue // deleted since the user was read
			}
			if err != nil {
				return err
			}
			all = append(all, d.Group)
		}
		return nil
	})
	return groupsOf(all), err
}

type preTokenRequest struct {
	UserAttributes     map[string]string  `json:"userAttributes"`
	GroupConfiguration groupConfiguration `json:"groupConfiguration"`
	Scopes             []string           `json:"scopes,omitempty"`
	ClientMetadata     map[string]string  `json:"clientMetadata,omitempty"`
}

// preToken asks a function about tokens.
func (s *Service) preToken(c *awswire.Call, g *Grant, u *user, were groupConfiguration) (*preTokenResponse, error) {
	out := &preTokenResponse{}
	config := g.Pool.Settings.LambdaConfig.PreTokenGenerationConfig
	if config == nil {
		return out, nil
	}
	version := map[string]string{api.PreTokenGenerationLambdaVersionTypeV20: "2", api.PreTokenGenerationLambdaVersionTypeV30: "3"}[value(config.LambdaVersion)]
	in := preTokenRequest{UserAttributes: u.withStatus(), GroupConfiguration: were, ClientMetadata: g.Metadata}
	if version == "" {
		version = "1"
	} else {
		in.Scopes = g.Scopes
	}
	err := s.trigger(c, g.Pool, g.Client, config.LambdaArn, version, g.Source, u.Username, in, out)
	// A response is heard in its own version only.
	if version == "1" {
		out.Two = nil
	} else {
		out.One = nil
	}
	return out, err
}

func (s *Service) newRefresh(g *Grant, u *user) (string, error) {
	id, err := userpool.NewID(s.random)
	if err != nil {
		return "", err
	}
	return s.tickets.Issue(forRefresh, refreshToken{
		ID: id, Origin: g.Origin, Pool: g.Pool.ID, Client: g.Client.ID, Username: u.Username, Sub: u.Sub, Time: g.Time,
		Scopes: g.Scopes, Hosted: g.Hosted,
	}, g.until)
}
