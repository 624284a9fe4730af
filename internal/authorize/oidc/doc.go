// Package oidc has the keys that issuers of tokens sign with: it finds them by
// OpenID Connect discovery, keeps them for as long as AWS does, and follows their
// rotation. KeySets outlives plans; the authorizers of a plan find the KeySet of
// their issuer in it.
//
// It imports no package of the gateway. What a token says is package authorize's.
package oidc
