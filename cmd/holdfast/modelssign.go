// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func modelsSignCommand(a *app) *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use:   "sign REF --key FILE",
		Short: "sign a model, for those who use signed ones only",
		Long: `Signs a model file with an Ed25519 key: the signature is a file beside it, which
openssl can make and verify too. Whoever holds the public key can ask for it by
--require-signature KEYS, or a project by its key signature: then no other model
scores or becomes champion. Keys are made by

  openssl genpkey -algorithm ed25519 -out release.key
  openssl pkey -in release.key -pubout -out release.pub

Reads    models/, or a model file, and the private key (PEM, without a password)
Writes   model.json.sig beside the model
Exits    0 ok; 2 no such key; 10 no such model; 11 locked; 12 a damaged model`,
		Example: "  holdfast models sign latest --key release.key\n  holdfast models promote latest --require-signature release.pub",
		Args:    oneArgument("a model: an id, the beginning of one, champion, latest or a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyFile == "" {
				return usageError("--key FILE is needed: the private key to sign with")
			}
			key, err := predict.LoadSigningKey(a.fsys, keyFile)
			if err != nil {
				return usageError("--key: %v", err)
			}
			path, id := args[0], ""
			if namesFile(path) {
				id, err = predict.Sign(a.fsys, path, "", key)
			} else {
				var p *project
				if p, err = a.findProject(); err != nil {
					return err
				}
				err = a.changing(cmd.Context(), p, func(r *registry.Registry) error {
					id, err = r.Sign(args[0], key)
					return err
				})
				path = p.registry.ModelPath(id)
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"id": id, "signature": predict.SignaturePath(path)})
			}
			a.printf("model %s is signed: %s\n", id, predict.SignaturePath(path))
			return nil
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "PEM file of the Ed25519 private key")
	return c
}
