// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package data

import "errors"

// Exchange says that this system swaps no folders in one step.
func (Disk) Exchange(a, b string) error { return errors.ErrUnsupported }
