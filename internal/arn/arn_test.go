package arn_test

import (
	"testing"

	"gatehouse/internal/arn"
)

func TestParse(t *testing.T) {
	tests := []struct {
		in   string
		want arn.ARN
		name string
		ok   bool
	}{
		{"arn:aws:iam::123456789012:role/a/b", arn.ARN{Partition: "aws", Service: "iam", Account: "123456789012", Resource: "role/a/b"}, "b", true},
		{"arn:aws:lambda:eu-west-1:123456789012:function:f:live", arn.ARN{Partition: "aws", Service: "lambda", Region: "eu-west-1", Account: "123456789012", Resource: "function:f:live"}, "function:f:live", true},
		{"arn:aws:apigateway:us-east-1::/apis/x", arn.ARN{Partition: "aws", Service: "apigateway", Region: "us-east-1", Resource: "/apis/x"}, "x", true},
		{in: ""},
		{in: "arn:aws:iam::123456789012"},
		{in: "arn:aws:iam::123456789012:"},
		{in: "arn::iam::123456789012:role/a"},
		{in: "arn:aws:::1:role/a"},
		{in: "role/a"},
	}
	for _, tt := range tests {
		got, err := arn.Parse(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("Parse(%q): error %v, want ok %v", tt.in, err, tt.ok)
			continue
		}
		if got != tt.want {
			t.Errorf("Parse(%q) = %+v, want %+v", tt.in, got, tt.want)
		}
		if tt.ok && (got.String() != tt.in || got.Name() != tt.name) {
			t.Errorf("Parse(%q): String %q, Name %q", tt.in, got.String(), got.Name())
		}
	}
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc", "": "aws",
	} {
		if got := arn.Partition(region); got != want {
			t.Errorf("Partition(%q) = %q, want %q", region, got, want)
		}
	}
}

// FuzzParse asks that what parses is written back as it was.
func FuzzParse(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:role/a")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := arn.Parse(s); err == nil && a.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, a)
		}
	})
}
