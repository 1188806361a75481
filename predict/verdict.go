// SPDX-License-Identifier: Apache-2.0

package predict

// A Verdict says whether a model may be published, and why. evaluate makes it,
// the registry records it.
type Verdict struct {
	Pass    bool   `json:"pass"`
	Reason  string `json:"reason"`            // the figures behind it, in one sentence
	By      string `json:"by,omitempty"`      // who approved against a refusal
	Because string `json:"because,omitempty"` // and why
}
