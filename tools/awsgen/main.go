// Command awsgen makes the generated packages under internal/awsapi.
//
//	awsgen fetch [-npm node_modules]   reads AWS's service models into schema/
//	awsgen endpoints -botocore DATA -version V
//	                                   reads how services are called into schema/
//	awsgen generate                    writes internal/awsapi and the table of
//	                                   internal/awsendpoint from schema/, offline
//
// Both run in the root of the module.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "awsgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: awsgen fetch|endpoints|generate")
	}
	flags := flag.NewFlagSet("awsgen", flag.ContinueOnError)
	botocore := flags.String("botocore", "", "the data folder of a botocore")
	version := flags.String("version", "", "its version")
	npm := flags.String("npm", "", "an existing node_modules to read instead of installing")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	switch args[0] {
	case "fetch":
		return fetch(filepath.Join(root, "schema"), *npm)
	case "endpoints":
		return fetchEndpoints(filepath.Join(root, "schema"), *botocore, *version)
	case "generate":
		schema := filepath.Join(root, "schema")
		if err := generateEndpoints(schema, filepath.Join(root, "internal/awsendpoint")); err != nil {
			return err
		}
		return generate(schema, filepath.Join(root, "internal/awsapi"))
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// moduleRoot finds the folder of go.mod, since go generate starts in a package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = parent
	}
}
