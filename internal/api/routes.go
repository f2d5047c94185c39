package api

import (
	"maps"
	"net/http"

	"slipway/internal/state"
)

// A table says who serves which pattern.
type table map[string]serve

// add adds what serves a part of the server, or says that it is missing.
func (t table) add(have bool, part table) {
	for pattern, serve := range part {
		if !have {
			serve = missing
		}
		t[pattern] = serve
	}
}

func (a *api) routes() table {
	all := table{
		"GET /account":                             a.account,
		"GET /users/{user}":                        a.showUser,
		"GET /users/{user}/apps":                   a.listUsersApps,
		"GET " + rateLimitsPath:                    a.rateLimits,
		"GET /apps":                                a.listApps,
		"POST /apps":                               a.createApp,
		"GET /apps/{app}":                          a.showApp,
		"DELETE /apps/{app}":                       a.destroyApp,
		"GET /apps/{app}/releases":                 a.listReleases,
		"GET /apps/{app}/releases/{v}":             a.showRelease,
		"GET /apps/{app}/releases/{v}/config-vars": a.showReleaseConfig,
		"GET /apps/{app}/slugs/{slug}":             a.showSlug,
		"GET /apps/{app}/buildpack-installations":  a.listBuildpacks,
		"GET /apps/{app}/config-vars":              a.showConfig,
		"GET /account/keys":                        a.listKeys,
		"POST /account/keys":                       a.addKey,
		"GET /account/keys/{fingerprint...}":       a.showKey,
		"DELETE /account/keys/{fingerprint...}":    a.removeKey,
	}
	all.add(a.Settings != nil, table{
		"PATCH /apps/{app}":                a.updateApp,
		"GET /apps/{app}/audit":            a.listAudits,
		"GET /apps/{app}/formation":        a.listFormation,
		"GET /apps/{app}/formation/{type}": a.showFormation,
	})
	all.add(a.Buildpacks != nil, table{
		"PUT /apps/{app}/buildpack-installations": a.setBuildpacks,
	})
	all.add(a.Deploys != nil, table{
		"PATCH /apps/{app}/config-vars": a.setConfig,
		"POST /apps/{app}/releases":     a.createRelease,
	})
	all.add(a.Deploys != nil && a.Settings != nil, table{
		"PATCH /apps/{app}/formation":        a.scaleBatch,
		"PATCH /apps/{app}/formation/{type}": a.scaleOne,
	})
	all.add(a.Dynos != nil, table{
		"GET /apps/{app}/dynos":                           a.listDynos,
		"POST /apps/{app}/dynos":                          a.createDyno,
		"GET /apps/{app}/dynos/{dyno}":                    a.showDyno,
		"DELETE /apps/{app}/dynos":                        a.restartAll,
		"DELETE /apps/{app}/dynos/{dyno}":                 a.restartDyno,
		"DELETE /apps/{app}/formations/{type}":            a.restartType,
		"POST /apps/{app}/dynos/{dyno}/actions/stop":      a.stopDyno,
		"POST /apps/{app}/formations/{type}/actions/stop": a.stopType,
		"GET /apps/{app}/quota":                           a.showQuota,
	})
	all.add(a.Logs != nil, table{"POST /apps/{app}/log-sessions": a.createLogSession})
	all.add(a.haveBuilds(), table{
		"GET /apps/{app}/builds":         a.listBuilds,
		"GET /apps/{app}/builds/{build}": a.showBuild,
	})
	all.add(a.canBuild(), table{
		"POST /apps/{app}/builds":           a.createBuild,
		"DELETE /apps/{app}/builds/{build}": a.cancelBuild,
		"DELETE /apps/{app}/build-cache":    a.forgetCache,
		"POST " + sourcesPath:               a.createSource,
		"POST /apps/{app}/sources":          a.createSource,
	})
	a.addNetwork(all)
	all.add(a.haveAccounts(), a.accountRoutes())
	maps.Copy(all, a.catalogRoutes())
	if a.ACM {
		all["POST /apps/{app}/acm"], all["PATCH /apps/{app}/acm"] = a.keepACM, a.keepACM
	}
	return all
}

// addNetwork adds what is about an app's addresses and where its log goes.
func (a *api) addNetwork(all table) {
	all.add(a.Domains != nil, table{
		"GET /apps/{app}/domains":             a.listDomains,
		"POST /apps/{app}/domains":            a.addDomain,
		"GET /apps/{app}/domains/{domain}":    a.showDomain,
		"PATCH /apps/{app}/domains/{domain}":  a.updateDomain,
		"DELETE /apps/{app}/domains/{domain}": a.removeDomain,
	})
	all.add(a.Certs != nil && a.CheckCert != nil, table{
		"GET /apps/{app}/sni-endpoints":           a.listCerts,
		"POST /apps/{app}/sni-endpoints":          a.addCert,
		"GET /apps/{app}/sni-endpoints/{cert}":    a.showCert,
		"PATCH /apps/{app}/sni-endpoints/{cert}":  a.updateCert,
		"DELETE /apps/{app}/sni-endpoints/{cert}": a.removeCert,
	})
	all.add(a.Drains != nil, table{
		"GET /apps/{app}/log-drains":            a.listDrains,
		"POST /apps/{app}/log-drains":           a.addDrain,
		"GET /apps/{app}/log-drains/{drain}":    a.showDrain,
		"DELETE /apps/{app}/log-drains/{drain}": a.removeDrain,
	})
}

func missing(*http.Request, state.Actor) (int, any, error) { return 0, nil, errMissing }
