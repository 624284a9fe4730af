package arn

import (
	"errors"
	"strings"
)

// An ARN is the six parts of a name such as
// "arn:aws:iam::123456789012:role/service/hello".
type ARN struct {
	// Partition is "aws", "aws-cn", "aws-us-gov", ...
	Partition string
	// Service is the namespace, as in "iam" or "lambda".
	Service string
	// Region is empty for what is global.
	Region string
	// Account has twelve digits; it is empty where AWS leaves it out, and
	// "aws" for what AWS itself owns.
	Account string
	// Resource is the rest, colons and slashes included.
	Resource string
}

// ErrInvalid tells that a text isn't an ARN.
var ErrInvalid = errors.New("arn: not of the form arn:partition:service:region:account:resource")

// Parse takes s apart. The partition, the service and the resource must not be
// empty.
func Parse(s string) (ARN, error) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return ARN{}, ErrInvalid
	}
	var part [4]string
	for i := range part {
		if part[i], rest, ok = strings.Cut(rest, ":"); !ok {
			return ARN{}, ErrInvalid
		}
	}
	if part[0] == "" || part[1] == "" || rest == "" {
		return ARN{}, ErrInvalid
	}
	return ARN{Partition: part[0], Service: part[1], Region: part[2], Account: part[3], Resource: rest}, nil
}

// String writes a as text.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// Name is what follows the last slash of the resource: the name of a role or a
// user without its path.
func (a ARN) Name() string {
	return a.Resource[strings.LastIndexByte(a.Resource, '/')+1:]
}

// Partition is the partition a region belongs to; "aws" when in doubt.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "us-iso-"):
		return "aws-iso"
	case strings.HasPrefix(region, "us-isob-"):
		return "aws-iso-b"
	case strings.HasPrefix(region, "eu-isoe-"):
		return "aws-iso-e"
	case strings.HasPrefix(region, "us-isof-"):
		return "aws-iso-f"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}
