"""The pages of a review: on their own for one reviewer, or inside the operator's page for several."""
