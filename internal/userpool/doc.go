// Package userpool has the pure parts of user pools: how passwords are kept and
// checked, the server's side of SRP, the keys that sign tokens and the tokens
// they sign, tickets that hold a step of a sign-in, one-time codes, and the
// count of wrong guesses. It knows no store and no wire; control/cognitoidp puts
// the parts together.
package userpool
