// Package oauth2 answers what a user pool's domain serves: the endpoints of OAuth
// 2.0 and OpenID Connect, and the plain pages on which people sign in, sign up and
// choose new passwords. The pages have no scripts.
//
// It owns nothing that is stored: a browser's visit is a sealed cookie, a code is
// a sealed text that is good once. Who may sign in and what tokens say is
// cognitoidp's.
//
// Where a request arrives, [Site.Serves] tells; serve asks it on every listener,
// because those who sign in are strangers to management.
package oauth2
