DROP TABLE IF EXISTS sampler_config
