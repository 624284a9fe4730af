package main

import "testing"

func TestReservedHosts(t *testing.T) {
	r := newReservedHosts(config{
		Listen: "gateway.corp.example:443", Domain: "apis.example.com",
		ManagementHosts: []string{"Admin.Example.com", ".internal.example"},
	})
	for name, want := range map[string]bool{
		"api.example.test": false, "*.example.test": false, "api.shop.localhost": false, "*.shop.localhost": false,
		"apis.example.org": false, "eu.apis.example.com": false, "other.corp.example": false, "internal.example.com": false,
		"localhost": true, "lambda.localhost": true, "console.localhost": true, "*.localhost": true,
		"sts.us-east-1.localhost": true, "*.us-east-1.localhost": true, "lambda.us-gov-west-1.localhost": true,
		"abc.execute-api.localhost": true, "*.execute-api.localhost": true, "abc.execute-api.eu-west-1.amazonaws.com": true,
		"*.execute-api.example.com": true, "execute-api.example.com": true, "ABC.Execute-API.example.com.": true,
		"shop.auth.us-east-1.localhost": true, "*.auth.eu-west-1.amazoncognito.com": true, "auth.example.test": false, "x.auth.example.test": false,
		"127.0.0.1": true, "::1": true,
		"gateway.corp.example": true, "*.corp.example": true,
		"admin.example.com": true, "ADMIN.example.com": true, "*.example.com": true,
		"internal.example": true, "any.internal.example": true, "very.deep.internal.example": true, "*.internal.example": true,
		"apis.example.com": true, "console.apis.example.com": true, "*.apis.example.com": true,
	} {
		if got := r.reserved(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
