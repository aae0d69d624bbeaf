{{/* The labels of a part: its name and the release. */}}
{{- define "jixiang.labels" -}}
app.kubernetes.io/name: jixiang-code
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* What every container may: nothing. */}}
{{- define "jixiang.sealed" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* What every pod has. Kubernetes shows files of a Secret to a group, and we take none that a group can read: so they are
     copied into memory, where they belong to the user of the process alone. */}}
{{- define "jixiang.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
initContainers:
  - name: own-files
    image: {{ .root.Values.image | quote }}
    command: [sh, -ec, "install -d -m 0700 /etc/jixiang/keys && install -m 0600 /from/config/* /etc/jixiang/ && install -m 0600 /from/keys/* /etc/jixiang/keys/"]
    resources: {{ toJson .resources }}
    {{- include "jixiang.sealed" . | nindent 4 }}
    volumeMounts:
      - { name: own, mountPath: /etc/jixiang }
      - { name: config, mountPath: /from/config, readOnly: true }
      - { name: keys, mountPath: /from/keys, readOnly: true }
volumes:
  - { name: own, emptyDir: { medium: Memory, sizeLimit: 4Mi } }
  - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 256Mi } }
  - { name: config, secret: { secretName: {{ .root.Values.secrets.config | quote }}, defaultMode: 0440 } }
  - { name: keys, secret: { secretName: {{ .root.Values.secrets.keys | quote }}, defaultMode: 0440 } }
{{- end }}

{{/* What every container of ours has: the image, its files, and a place for what is counted. */}}
{{- define "jixiang.container" -}}
image: {{ .root.Values.image | quote }}
resources: {{ toJson .resources }}
{{ include "jixiang.sealed" . }}
volumeMounts:
  - { name: own, mountPath: /etc/jixiang }
  - { name: tmp, mountPath: /tmp }
{{- end }}
