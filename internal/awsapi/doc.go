// Package awsapi is the parent of the generated packages, one for each AWS
// service. Nothing below it is edited by hand.
//
//	awsgen fetch      refreshes schema/ from AWS's published packages
//	go generate       rewrites the packages from schema/, offline
package awsapi

//go:generate go run gatehouse/tools/awsgen generate
