// Package cognitoidp answers Cognito's API of user pools: pools and what is in
// them (app clients, domains, resource servers, groups, users), signing up and
// signing in, tokens.
//
// It owns the stored pools and the [Directory], their in-memory form, in which a
// token's issuer and a caller's client id are found without touching the store.
// How passwords, keys and tokens work is userpool's. Functions that a pool
// triggers are reached through [Invoker]. There is no mail here: [Options.Codes]
// takes what would be sent.
//
// Pool and client ids are unique in the whole gateway, whatever their account and
// region, because those who sign in name nothing else.
package cognitoidp
