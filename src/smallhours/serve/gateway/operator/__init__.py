"""The operator's page: how the service is, in counts; and what people asked to have looked into."""
