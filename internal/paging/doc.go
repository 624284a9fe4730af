// Package paging makes and reads the opaque tokens with which AWS's list
// operations continue: nextToken, Marker, position. It imports the standard
// library only; which error a bad token becomes is for the service to say.
package paging
