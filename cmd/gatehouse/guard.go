package main

import (
	"log/slog"

	"gatehouse/internal/control/access"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/control/sts"
)

// newGuard makes what decides management calls by policies. In the open mode,
// where an unknown key is root, a function whose role nobody created is no less.
func newGuard(c config, credentials *sts.Credentials, identities *iam.Directory, functions *lambda.Directory, log *slog.Logger) *access.Guard {
	return access.New(access.Options{
		Credentials: credentials, Identities: identities, Functions: functions,
		LetUnfounded: c.Auth == "open" && !c.StrictPermissions, Log: log,
	})
}
