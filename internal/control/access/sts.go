package access

// sts: who asks who they are, or for a session of their own, needs nobody's
// leave; control/sts itself asks about AssumeRole, together with the trust
// policy.
func (r *request) sts() []need {
	switch r.Operation {
	case "GetCallerIdentity", "GetSessionToken", "AssumeRole":
		return nil
	case "GetFederationToken":
		return r.about("sts", r.global("sts", "federated-user/"+text(r.Input, "Name")))
	}
	return r.named("sts")
}
