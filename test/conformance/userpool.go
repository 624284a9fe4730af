package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
)

// A UserPool is a Cognito user pool with its parts.
type UserPool struct {
	// Members are those of CreateUserPool; PoolName needn't be there.
	Members Members `yaml:",inline"`
	// ResourceServers are scopes by the identifier of the server.
	ResourceServers map[string][]string `yaml:"resourceServers"`
	// Clients are members of CreateUserPoolClient by the client's name. Users sign
	// in with the one called app.
	Clients map[string]Members `yaml:"clients"`
	// Groups are the names of groups.
	Groups []string            `yaml:"groups"`
	Users  map[string]PoolUser `yaml:"users"`
}

// A PoolUser is a user of a pool. Its password is Secret-Word-1.
type PoolUser struct {
	// Attributes are the user's, Groups those it is in.
	Attributes map[string]string `yaml:"attributes"`
	Groups     []string          `yaml:"groups"`
}

// poolPassword is the password of all users.
const poolPassword = "Secret-Word-1"

// A madePool is a user pool that has been made.
type madePool struct {
	id, arn, domain string
	clients         map[string]poolClient
	// tokens sign a user in.
	tokens map[string]func() (*poolTokens, error)
}

type poolClient struct{ id, secret string }

type poolTokens struct{ IDToken, AccessToken, RefreshToken string }

// makePool makes a pool with its parts.
func (s *scene) makePool(name string) (*madePool, error) {
	ctx := context.Background()
	w, spec := s.world, s.setup.UserPools[name]
	with, err := expandMembers(spec.Members, s.lookup)
	if err != nil {
		return nil, err
	}
	all := Members{"PoolName": w.unique()}
	maps.Copy(all, with)
	var pool struct{ UserPool struct{ ID, ARN string } }
	if err := w.make(ctx, "cognitoidp:CreateUserPool", all, &pool); err != nil {
		return nil, err
	}
	p := &madePool{id: pool.UserPool.ID, arn: pool.UserPool.ARN, domain: w.unique(), clients: map[string]poolClient{}, tokens: map[string]func() (*poolTokens, error){}}
	w.later("cognitoidp:DeleteUserPool", Members{"UserPoolId": p.id})
	make := func(call string, with Members, out any) error {
		all := Members{"UserPoolId": p.id}
		maps.Copy(all, with)
		return w.make(ctx, "cognitoidp:"+call, all, out)
	}
	if err := make("CreateUserPoolDomain", Members{"Domain": p.domain}, nil); err != nil {
		return nil, err
	}
	w.later("cognitoidp:DeleteUserPoolDomain", Members{"UserPoolId": p.id, "Domain": p.domain})
	for _, id := range sortedKeys(spec.ResourceServers) {
		var scopes []Members
		for _, scope := range spec.ResourceServers[id] {
			scopes = append(scopes, Members{"ScopeName": scope, "ScopeDescription": scope})
		}
		if err := make("CreateResourceServer", Members{"Identifier": id, "Name": id, "Scopes": scopes}, nil); err != nil {
			return nil, err
		}
	}
	for _, client := range sortedKeys(spec.Clients) {
		with, err := expandMembers(spec.Clients[client], s.lookup)
		if err != nil {
			return nil, err
		}
		all := Members{"ClientName": client, "ExplicitAuthFlows": []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}}
		maps.Copy(all, with)
		var made struct {
			UserPoolClient struct{ ClientID, ClientSecret string }
		}
		if err := make("CreateUserPoolClient", all, &made); err != nil {
			return nil, err
		}
		p.clients[client] = poolClient{made.UserPoolClient.ClientID, made.UserPoolClient.ClientSecret}
	}
	for _, group := range spec.Groups {
		if err := make("CreateGroup", Members{"GroupName": group}, nil); err != nil {
			return nil, err
		}
	}
	for _, user := range sortedKeys(spec.Users) {
		if err := s.poolUser(user, spec.Users[user], make); err != nil {
			return nil, err
		}
		p.tokens[user] = sync.OnceValues(func() (*poolTokens, error) { return p.signIn(ctx, w, user) })
	}
	return p, nil
}

// poolUser makes a user.
func (s *scene) poolUser(name string, spec PoolUser, make func(call string, with Members, out any) error) error {
	var attributes []Members
	for _, attribute := range sortedKeys(spec.Attributes) {
		attributes = append(attributes, Members{"Name": attribute, "Value": spec.Attributes[attribute]})
	}
	if err := make("AdminCreateUser", Members{"Username": name, "MessageAction": "SUPPRESS", "UserAttributes": attributes}, nil); err != nil {
		return err
	}
	if err := make("AdminSetUserPassword", Members{"Username": name, "Password": poolPassword, "Permanent": true}, nil); err != nil {
		return err
	}
	for _, group := range spec.Groups {
		if err := make("AdminAddUserToGroup", Members{"Username": name, "GroupName": group}, nil); err != nil {
			return err
		}
	}
	return nil
}

// signIn signs a user in with its password.
func (p *madePool) signIn(ctx context.Context, w *World, user string) (*poolTokens, error) {
	var made struct{ AuthenticationResult *poolTokens }
	err := w.make(ctx, "cognitoidp:AdminInitiateAuth", Members{
		"UserPoolId": p.id, "ClientId": p.clients["app"].id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
		"AuthParameters": Members{"USERNAME": user, "PASSWORD": poolPassword},
	}, &made)
	if err == nil && made.AuthenticationResult == nil {
		err = fmt.Errorf("%s couldn't sign in", user)
	}
	return made.AuthenticationResult, err
}

// grant asks the pool's token endpoint for a client's own token.
func (p *madePool) grant(ctx context.Context, w *World, client, scope string) (string, error) {
	c, ok := p.clients[client]
	if !ok {
		return "", fmt.Errorf("there is no client %q", client)
	}
	base, err := url.Parse(strings.ReplaceAll(w.Hosted, "{domain}", p.domain))
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	text := "POST /oauth2/token\nContent-Type: application/x-www-form-urlencoded\nAuthorization: Basic " +
		base64.StdEncoding.EncodeToString([]byte(c.id+":"+c.secret)) + "\n\n" + form.Encode()
	a, err := send(ctx, base, "", secure(base), requestBytes(text, base.Host))
	if err != nil {
		return "", err
	}
	var made struct {
		Token string `json:"access_token"`
	}
	err = a.decode(&made)
	return made.Token, err
}

// issuer is who the tokens of the pool's users say they are from.
func (p *madePool) issuer() (string, error) {
	users := sortedKeys(p.tokens)
	if len(users) == 0 {
		return "", errors.New("the pool has no user whose token could tell the issuer")
	}
	tokens, err := p.tokens[users[0]]()
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(tokens.IDToken, ".")
	body, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return "", err
	}
	var claims struct{ Iss string }
	err = json.Unmarshal(text, &claims)
	return claims.Iss, err
}

// value is what a placeholder wants of a pool: its id, arn, domain and issuer,
// clients.NAME, users.NAME.id, .access and .refresh, which are tokens, and
// grants.CLIENT.SCOPE, the token that a client gets for itself.
func (p *madePool) value(w *World, attribute string) (string, bool, error) {
	head, rest, _ := strings.Cut(attribute, ".")
	switch head {
	case "":
		return p.id, true, nil
	case "arn":
		return p.arn, true, nil
	case "domain":
		return p.domain, true, nil
	case "issuer":
		issuer, err := p.issuer()
		return issuer, true, err
	case "clients":
		c, ok := p.clients[rest]
		return c.id, ok, nil
	case "users":
		user, which, _ := strings.Cut(rest, ".")
		get := p.tokens[user]
		if get == nil {
			return "", false, nil
		}
		tokens, err := get()
		if err != nil {
			return "", true, err
		}
		value, ok := map[string]string{"id": tokens.IDToken, "access": tokens.AccessToken, "refresh": tokens.RefreshToken}[which]
		return value, ok, nil
	case "grants":
		client, scope, _ := strings.Cut(rest, ".")
		token, err := p.grant(context.Background(), w, client, scope)
		return token, true, err
	}
	return "", false, nil
}
