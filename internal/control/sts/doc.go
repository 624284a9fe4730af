// Package sts answers the Security Token Service: who a caller is, and keys
// that expire.
//
// Sessions aren't stored. A session token is the session itself, sealed with
// the key that also seals secrets at rest, so it outlives a restart, works on
// every node that has the key, and costs nothing until it is used.
//
// [Credentials] is where management calls and traffic look up who signed them:
// root, a user's access key (control/iam's directory) or a session. Looking up
// takes no store and no lock.
package sts
