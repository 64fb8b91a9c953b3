package dashboards_test

func init() {
	checks["netmeta-flows"] = map[int]check{1: func(v view) {}}
}
