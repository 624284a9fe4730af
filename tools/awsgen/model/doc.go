// Package model is the form in which an AWS service model is kept under
// schema/: shapes, bindings and constraints as data, without prose. It is
// written by awsgen fetch and read by awsgen generate and by tools/coverage.
package model
