package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// endpointsFile has the facts of every service that are needed to call it, in
// schemaDir.
const endpointsFile = "endpoints.json"

// An endpoint is how one service is called. It is in no way a model: a service
// that the gateway only calls has no operations here.
type endpoint struct {
	// Prefix begins the host name. Names are what else the service is called by:
	// its id and its name in AWS's command line.
	Prefix string   `json:"prefix"`
	Names  []string `json:"names"`
	// Signing is the name in credential scopes, "" for the prefix.
	Signing string `json:"signing,omitempty"`
	// Protocol is json, query or rest.
	Protocol string `json:"protocol"`
	Version  string `json:"version"`
	// Target begins X-Amz-Target, JSON is the version of the JSON protocol.
	Target string `json:"target,omitempty"`
	JSON   string `json:"json,omitempty"`
	// Host and Region are those of a service that has one endpoint for all regions.
	Host   string `json:"host,omitempty"`
	Region string `json:"region,omitempty"`
}

type endpoints struct {
	Origin   string     `json:"origin"`
	Services []endpoint `json:"services"`
}

// speaksQuery are services that API Gateway calls by the query protocol, which
// their models have given up for JSON.
var speaksQuery = map[string]bool{"sqs": true, "ssm": true, "monitoring": true}

// fetchEndpoints reads a botocore's data folder into schemaDir.
func fetchEndpoints(schemaDir, data, version string) error {
	if data == "" || version == "" {
		return errors.New("awsgen endpoints needs -botocore, the folder botocore/data, and -version, botocore's")
	}
	global, err := globalEndpoints(filepath.Join(data, "endpoints.json"))
	if err != nil {
		return err
	}
	folders, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	all := endpoints{Origin: "botocore " + version}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		e, err := readEndpoint(filepath.Join(data, folder.Name()), folder.Name())
		if err != nil {
			return fmt.Errorf("%s: %w", folder.Name(), err)
		}
		if g, ok := global[e.Prefix]; ok {
			e.Host, e.Region = g.Hostname, g.CredentialScope.Region
		}
		all.Services = append(all.Services, e)
	}
	slices.SortFunc(all.Services, func(a, b endpoint) int {
		return cmp.Or(strings.Compare(a.Prefix, b.Prefix), preference(a, b), strings.Compare(a.Names[0], b.Names[0]))
	})
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetEscapeHTML(false)
	w.SetIndent("", " ")
	if err := w.Encode(all); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(schemaDir, endpointsFile), out.Bytes(), 0o644)
}

// preference orders services that share a prefix: the one that actions are named
// for first, of those the newest.
func preference(a, b endpoint) int {
	acts := func(e endpoint) int {
		if e.Protocol == "rest" {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(acts(a), acts(b)), strings.Compare(b.Version, a.Version))
}

func readEndpoint(folder, name string) (endpoint, error) {
	versions, err := os.ReadDir(folder)
	if err != nil {
		return endpoint{}, err
	}
	var m struct {
		Metadata struct {
			APIVersion, EndpointPrefix, SigningName, Protocol, TargetPrefix, JSONVersion, ServiceID string
			Protocols                                                                               []string
		}
	}
	file := filepath.Join(folder, versions[len(versions)-1].Name(), "service-2.json.gz")
	raw, err := os.ReadFile(file)
	if err != nil {
		return endpoint{}, err
	}
	text, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return endpoint{}, err
	}
	if err := json.NewDecoder(text).Decode(&m); err != nil {
		return endpoint{}, err
	}
	of := m.Metadata
	e := endpoint{Prefix: of.EndpointPrefix, Signing: of.SigningName, Version: of.APIVersion, Protocol: "rest"}
	if e.Signing == e.Prefix {
		e.Signing = ""
	}
	e.Names = slices.Compact([]string{name, strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(of.ServiceID))})
	protocols := append(of.Protocols, of.Protocol)
	switch {
	case speaksQuery[e.Prefix] || slices.Contains(protocols, "query") || slices.Contains(protocols, "ec2"):
		e.Protocol = "query"
	case of.TargetPrefix != "":
		e.Protocol, e.Target, e.JSON = "json", of.TargetPrefix, cmp.Or(of.JSONVersion, "1.0")
	}
	return e, nil
}

type globalEndpoint struct {
	Hostname        string
	CredentialScope struct{ Region string }
}

// globalEndpoints are the services of AWS's main partition that have one endpoint,
// by prefix.
func globalEndpoints(file string) (map[string]globalEndpoint, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Partitions []struct {
			Partition string
			Services  map[string]struct {
				IsRegionalized    *bool
				PartitionEndpoint string
				Endpoints         map[string]globalEndpoint
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	global := map[string]globalEndpoint{}
	for _, p := range doc.Partitions {
		for prefix, s := range p.Services {
			e := s.Endpoints[s.PartitionEndpoint]
			if p.Partition == "aws" && s.IsRegionalized != nil && !*s.IsRegionalized && e.CredentialScope.Region != "" {
				global[prefix] = e
			}
		}
	}
	return global, nil
}

// generateEndpoints writes the table of package awsendpoint.
func generateEndpoints(schemaDir, dir string) error {
	raw, err := os.ReadFile(filepath.Join(schemaDir, endpointsFile))
	if err != nil {
		return err
	}
	var all endpoints
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	out := &file{pkg: "awsendpoint"}
	out.p("// services are AWS's services by prefix, from %s. Of several with one prefix the", all.Origin)
	out.p("// first is that whose actions integrations name.")
	out.p("var services = [...]Service{")
	for _, s := range all.Services {
		out.p("{Prefix: %q, names: %#v, signing: %q, Protocol: %s, Version: %q, target: %q, json: %q, host: %q, region: %q},",
			s.Prefix, s.Names, s.Signing, map[string]string{"json": "JSON", "query": "Query", "rest": "REST"}[s.Protocol],
			s.Version, s.Target, s.JSON, s.Host, s.Region)
	}
	out.p("}")
	data, err := out.source()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "services_gen.go"), data, 0o644)
}
