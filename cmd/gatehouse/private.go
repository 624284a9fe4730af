package main

import (
	"fmt"
	"net"
	"regexp"
	"strings"

	"gatehouse/internal/plan"
)

// A privateListener is where clients come in that are in a network of the
// operator's, as if over a VPC endpoint.
type privateListener struct {
	address  string
	entrance plan.Entrance
}

var privateEntrance = regexp.MustCompile(`^(vpce-[0-9a-z]+)(?:@(vpc-[0-9a-z]+))?$`)

// privateListeners reads what --traffic-private says.
func privateListeners(texts []string) ([]privateListener, error) {
	list := make([]privateListener, 0, len(texts))
	for _, text := range texts {
		endpoint, address, _ := strings.Cut(text, "=")
		ids := privateEntrance.FindStringSubmatch(endpoint)
		if _, _, err := net.SplitHostPort(address); ids == nil || err != nil {
			return nil, fmt.Errorf("--traffic-private %q: write vpce-ID=HOST:PORT or vpce-ID@vpc-ID=HOST:PORT, with ids in lower case", text)
		}
		list = append(list, privateListener{address, plan.Entrance{VPCEndpoint: ids[1], VPC: ids[2]}})
	}
	return list, nil
}
