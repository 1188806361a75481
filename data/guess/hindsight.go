// SPDX-License-Identifier: Apache-2.0

package guess

// hindsight returns why a column may know the future, or "". A table of
// accounts holds the state of the day it was exported, so that whatever changes
// during an account's life is known too late for a snapshot in the past.
func hindsight(name string, account bool) string {
	switch {
	case speaks(name, "churn", "leak", "cancel", "terminat", "attrit", "lapse", "withdr", "deactiv",
		"unregist", "unsubscr", "=y"):
		return "its name speaks of churn"
	case speaks(name, "outcome", "target", "label", "final", "result", "lost", "exit", "reason", "closed",
		"close", "closing", "resolved", "resolution", "actual", "retained", "renewed"):
		return "its name speaks of how it ended"
	case speaks(name, "status", "is active", "=active", "inactive", "current", "last", "latest", "updated",
		"modified", "deleted"):
		return "it is the state of the day the table was written, not of the snapshot"
	case speaks(name, "predict", "prob", "score", "propensity", "risk", "health"):
		return "it may be an earlier forecast, made after the snapshot"
	case account && speaks(name, "lifetime", "ltv", "clv", "total", "cumul", "days since", "tenure", "end",
		"num orders", "order count"):
		return "it grows during the life of the account, and nothing says since when it had this value"
	case !account && speaks(name, "used", "usage", "consumed", "next", "late", "days since"):
		return "it may be counted up during the term, and nothing says when"
	}
	return ""
}

// personal reports whether a name is that of data about a person, which is
// neither a reason to leave nor needed to call one.
func personal(name string) bool {
	return speaks(name, "email", "mail", "phone", "mobile", "address", "street", "birth", "dob", "ssn",
		"passport", "iban", "first name", "last name", "surname", "password", "=ip", "ip address")
}
