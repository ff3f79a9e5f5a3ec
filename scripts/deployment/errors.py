"""What ends a deployment: one line that says what is wrong and what to do."""


class DeploymentError(Exception):
    """The deployment stopped; whatever it had done so far, the next one goes on from there."""


class TargetError(DeploymentError):
    """Nothing was begun: the environment, the bundle or the settings cannot be used as they are."""
