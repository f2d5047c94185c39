// Package slugs keeps slugs: the OCI images that builds make. It is an
// embedded registry (CNCF Distribution as a library) that speaks the OCI
// distribution protocol under /v2/, so docker, skopeo and crane work against it.
//
// It knows images, tags and who may touch them. It does not know apps,
// releases or builds: a caller tags a slug when it is released, and tells
// [Registry.Sweep] what is still wanted.
//
// All methods of [Registry] may be called at once from several goroutines.
//
//	reg, err := slugs.Open(ctx, slugs.Config{Dir: "/var/lib/slipway/registry", Authorize: allow})
//	http.Handle("/v2/", reg)
//	token, revoke := reg.Grant("shop")        // for one build
//	defer revoke()
//	err = reg.Tag(ctx, "shop", "v1", digest)  // when the build stands
package slugs
