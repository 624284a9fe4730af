package cognitoidp_test

import (
	"encoding/json"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
)

func TestClientDefaults(t *testing.T) {
	f := newFixture(t, nil)
	out, err := f.CreateUserPoolClient(f.Call, &api.CreateUserPoolClientRequest{UserPoolId: &f.pool, ClientName: new("c")})
	ok(t, err)
	got, err := json.Marshal(out.UserPoolClient)
	ok(t, err)
	want := `{"UserPoolId":"POOL","ClientName":"c","ClientId":"ID","LastModifiedDate":"2026-11-27T08:00:00Z","CreationDate":"2026-11-27T08:00:00Z",` +
		`"RefreshTokenValidity":30,"AllowedOAuthFlowsUserPoolClient":false,"EnableTokenRevocation":true,` +
		`"EnablePropagateAdditionalUserContextData":false,"AuthSessionValidity":3}`
	if text := strings.NewReplacer(f.pool, "POOL", *out.UserPoolClient.ClientId, "ID").Replace(string(got)); text != want {
		t.Errorf("client\n%s\nwant\n%s", text, want)
	}
	if id := *out.UserPoolClient.ClientId; len(id) != 26 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Errorf("id %q", id)
	}
}

// TestClientUpdate keeps the secret and lets everything else go.
func TestClientUpdate(t *testing.T) {
	f := newFixture(t, nil)
	cl := f.client(func(in *api.CreateUserPoolClientRequest) {
		in.GenerateSecret, in.AccessTokenValidity = new(true), new(int32(10))
		in.TokenValidityUnits = &api.TokenValidityUnitsType{AccessToken: new("minutes")}
	})
	if len(*cl.ClientSecret) < 50 || *cl.TokenValidityUnits.RefreshToken != "days" || *cl.TokenValidityUnits.IdToken != "hours" {
		t.Errorf("%+v", cl)
	}
	out, err := f.UpdateUserPoolClient(f.Call, &api.UpdateUserPoolClientRequest{UserPoolId: &f.pool, ClientId: cl.ClientId, PreventUserExistenceErrors: new("ENABLED")})
	ok(t, err)
	got := out.UserPoolClient
	if *got.ClientSecret != *cl.ClientSecret || got.AccessTokenValidity != nil || got.TokenValidityUnits != nil || got.ExplicitAuthFlows != nil || *got.ClientName != "client" {
		t.Errorf("%+v", got)
	}
	ok(t, f.DeleteUserPoolClient(f.Call, &api.DeleteUserPoolClientRequest{UserPoolId: &f.pool, ClientId: cl.ClientId}))
	_, err = f.DescribeUserPoolClient(f.Call, &api.DescribeUserPoolClientRequest{UserPoolId: &f.pool, ClientId: cl.ClientId})
	fails(t, err, "ResourceNotFoundException", "User pool client "+*cl.ClientId+" does not exist.")
	if _, _, found := f.directory.Client(*cl.ClientId); found {
		t.Error("a deleted client is in the directory")
	}
}

func TestClientRefusals(t *testing.T) {
	f := newFixture(t, nil)
	_, err := f.CreateResourceServer(f.Call, &api.CreateResourceServerRequest{UserPoolId: &f.pool, Identifier: new("https://api.example.com"), Name: new("a"),
		Scopes: []api.ResourceServerScopeType{{ScopeName: new("read"), ScopeDescription: new("r")}}})
	ok(t, err)
	oauth := func(in *api.CreateUserPoolClientRequest) {
		in.AllowedOAuthFlowsUserPoolClient, in.AllowedOAuthFlows = new(true), []string{"code"}
		in.AllowedOAuthScopes, in.CallbackURLs = []string{"openid", "https://api.example.com/read"}, []string{"http://localhost:3000/"}
	}
	for _, tt := range []struct {
		name, code, text string
		change           func(in *api.CreateUserPoolClientRequest)
	}{
		{"code", "", "", oauth},
		{"machine", "", "", func(in *api.CreateUserPoolClientRequest) {
			oauth(in)
			in.GenerateSecret, in.AllowedOAuthFlows, in.AllowedOAuthScopes = new(true), []string{"client_credentials"}, []string{"https://api.example.com/read"}
		}},
		{"machine without a secret", "InvalidOAuthFlowException", "does not have a client secret", func(in *api.CreateUserPoolClientRequest) {
			oauth(in)
			in.AllowedOAuthFlows = []string{"client_credentials"}
		}},
		{"machine and code", "InvalidOAuthFlowException", "along with code flow", func(in *api.CreateUserPoolClientRequest) {
			oauth(in)
			in.AllowedOAuthFlows = []string{"client_credentials", "code"}
		}},
		{"machine with openid", "InvalidOAuthFlowException", "openid is not supported", func(in *api.CreateUserPoolClientRequest) {
			oauth(in)
			in.GenerateSecret, in.AllowedOAuthFlows = new(true), []string{"client_credentials"}
		}},
		{"no scopes", "InvalidOAuthFlowException", "are required", func(in *api.CreateUserPoolClientRequest) { oauth(in); in.AllowedOAuthScopes = nil }},
		{"no callback", "InvalidOAuthFlowException", "CallbackURLs", func(in *api.CreateUserPoolClientRequest) { oauth(in); in.CallbackURLs = nil }},
		{"unknown scope", "ScopeDoesNotExistException", "https://api.example.com/write", func(in *api.CreateUserPoolClientRequest) {
			oauth(in)
			in.AllowedOAuthScopes = []string{"https://api.example.com/write"}
		}},
		{"foreign redirect", "InvalidParameterException", "DefaultRedirectURI", func(in *api.CreateUserPoolClientRequest) { oauth(in); in.DefaultRedirectURI = new("http://x/") }},
		{"short life", "InvalidParameterException", "Invalid range for token validity.", func(in *api.CreateUserPoolClientRequest) {
			in.AccessTokenValidity, in.TokenValidityUnits = new(int32(4)), &api.TokenValidityUnitsType{AccessToken: new("minutes")}
		}},
		{"long life", "InvalidParameterException", "Invalid range for token validity.", func(in *api.CreateUserPoolClientRequest) { in.IdTokenValidity = new(int32(25)) }},
		{"refresh too short", "InvalidParameterException", "Refresh token", func(in *api.CreateUserPoolClientRequest) {
			in.RefreshTokenValidity, in.TokenValidityUnits = new(int32(1)), &api.TokenValidityUnitsType{RefreshToken: new("hours")}
			in.AccessTokenValidity = new(int32(2))
		}},
		{"old and new flows", "InvalidParameterException", "ExplicitAuthFlows", func(in *api.CreateUserPoolClientRequest) {
			in.ExplicitAuthFlows = []string{"ADMIN_NO_SRP_AUTH", "ALLOW_USER_SRP_AUTH"}
		}},
		{"unknown attribute", "InvalidParameterException", "custom:x", func(in *api.CreateUserPoolClientRequest) { in.ReadAttributes = []string{"custom:x"} }},
		{"unknown provider", "InvalidParameterException", "The provider Google does not exist", func(in *api.CreateUserPoolClientRequest) {
			in.SupportedIdentityProviders = []string{"COGNITO", "Google"}
		}},
		{"context without a secret", "InvalidParameterException", "secret", func(in *api.CreateUserPoolClientRequest) {
			in.EnablePropagateAdditionalUserContextData = new(true)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := &api.CreateUserPoolClientRequest{UserPoolId: &f.pool, ClientName: new("c")}
			tt.change(in)
			_, err := f.CreateUserPoolClient(f.Call, in)
			if tt.code == "" {
				ok(t, err)
				return
			}
			fails(t, err, tt.code, tt.text)
		})
	}
}

func TestResourceServers(t *testing.T) {
	f := newFixture(t, nil)
	in := &api.CreateResourceServerRequest{UserPoolId: &f.pool, Identifier: new("id"), Name: new("n")}
	_, err := f.CreateResourceServer(f.Call, in)
	ok(t, err)
	_, err = f.CreateResourceServer(f.Call, in)
	fails(t, err, "InvalidParameterException", "id already exists in user pool "+f.pool)
	out, err := f.UpdateResourceServer(f.Call, &api.UpdateResourceServerRequest{UserPoolId: &f.pool, Identifier: new("id"), Name: new("m"),
		Scopes: []api.ResourceServerScopeType{{ScopeName: new("s"), ScopeDescription: new("d")}}})
	if err != nil || *out.ResourceServer.Name != "m" {
		t.Errorf("%+v, %v", out, err)
	}
	list, err := f.ListResourceServers(f.Call, &api.ListResourceServersRequest{UserPoolId: &f.pool})
	if err != nil || len(list.ResourceServers) != 1 || *list.ResourceServers[0].Scopes[0].ScopeName != "s" {
		t.Errorf("%+v, %v", list, err)
	}
	ok(t, f.DeleteResourceServer(f.Call, &api.DeleteResourceServerRequest{UserPoolId: &f.pool, Identifier: new("id")}))
	_, err = f.DescribeResourceServer(f.Call, &api.DescribeResourceServerRequest{UserPoolId: &f.pool, Identifier: new("id")})
	fails(t, err, "ResourceNotFoundException", "Resource server id does not exist.")
}
