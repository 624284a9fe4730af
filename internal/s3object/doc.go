// Package s3object reads objects of stores that speak S3's GetObject: truststores of
// domains, code of functions.
//
// It imports awswire/sigv4 and nothing else of the house.
package s3object
