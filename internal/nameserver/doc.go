// Package nameserver answers DNS queries out of zones that are held in memory.
//
// A [Zone] is never written after it was made: a change makes another one that
// shares what didn't change. Values are parsed when a zone is made, not when a
// query comes. [Server] is authoritative for the zones it is given and refuses
// all else: it asks nobody. [Texts] are records that come and go beside the
// zones'; [LookupCNAME] is for who has to know what others answer.
//
// It is a leaf: what is stored of zones is control's.
package nameserver
